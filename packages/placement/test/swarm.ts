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

/** As `smallSwarm`, and some of its peers are slow, lossy, of doubtful reputation, or share a failure domain. */
export const troubledSwarm = (most: number): fc.Arbitrary<Candidate[]> => {
  const often = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, fc.constantFrom(...others));
  const trouble = fc.record({
    latencyMs: often<number | undefined>(undefined, 20, 90, 130, 180, 260, 450, 2000),
    packetLoss: often<number | undefined>(0, undefined, 0.05, 0.09, 0.1, 0.17, 0.3),
    reputation: often<number | undefined>(0.9, undefined, 0.7, 0.65, 0.62, 0.56, 0.5, 0.45),
    failureDomains: often<string[]>([], ['d1'], ['d2'], ['d1', 'd2']),
  });
  return fc
    .tuple(smallSwarm(most), fc.array(trouble, { minLength: most, maxLength: most }))
    .map(([peers, troubles]) => peers.map((peer, n) => ({ ...peer, ...troubles[n] })));
};

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
