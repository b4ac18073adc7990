import { type ErrorCode, HoldfastError, type PartitionId, type PeerId } from '@holdfast/contracts';
import type { Candidate } from '@holdfast/placement';
import fc from 'fast-check';

const GiB = 2 ** 30;

export const peerId = (n: number): PeerId =>
  `12D3KooW${String(n).replaceAll('0', 'A').padStart(44, 'z')}` as PeerId;
export const partitionId = (n: number): PartitionId =>
  `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}` as PartitionId;
export const salt = (n: number): Uint8Array => Uint8Array.of(n & 0xff, (n >>> 8) & 0xff);

export const candidate = (n: number, facts: Partial<Candidate> = {}): Candidate => ({
  id: peerId(n),
  operator: `operator-${n}`,
  region: `c${n % 3}/r${n % 7}/site`,
  freeBytes: GiB,
  capacityBytes: 2 * GiB,
  ...facts,
});

/** Few operators and regions that overlap in every way, and now and then a full peer. */
export const smallSwarm = (most: number): fc.Arbitrary<Candidate[]> =>
  fc
    .array(
      fc.record({
        operator: fc.integer({ min: 0, max: 3 }),
        region: fc.constantFrom('eu/de/x', 'eu/fr/x', 'na/us/x', 'na/us/y', 'as/jp/x'),
        used: fc.constantFrom(0, 0, 0, 0.65, 0.85, 0.95, 1),
      }),
      { maxLength: most },
    )
    .map((peers) =>
      peers.map(({ operator, region, used }, n) =>
        candidate(n, { operator: `o${operator}`, region, freeBytes: Math.floor((1 - used) * 2 * GiB) }),
      ),
    );

export const factsOf = (candidates: readonly Candidate[]): Map<PeerId, Candidate> =>
  new Map(candidates.map((peer) => [peer.id, peer]));

/** The typed error that the call must end with. */
export function refusalOf(call: () => unknown): HoldfastError {
  try {
    call();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('The call succeeded.');
}

export function codeOf(call: () => unknown): ErrorCode | null {
  try {
    call();
    return null;
  } catch (error) {
    if (error instanceof HoldfastError) return error.code;
    throw error;
  }
}
