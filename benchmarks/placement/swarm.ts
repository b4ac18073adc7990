import type { PartitionId, PeerId } from '@holdfast/contracts';
import type { Candidate } from '@holdfast/placement';
import { SeededRandom } from '../../tools/demo/random.ts';

/**
 * `equal`: all peers lend 1 TB. `skewed`: from 50 GB to 20 TB, few large and many small. `tight`: equal, but in four regions and with
 * seven of ten peers run by one operator, so that rules bind for every partition of 10+4.
 */
export type SwarmKind = 'equal' | 'skewed' | 'tight';

export interface Shape {
  readonly k: number;
  readonly m: number;
}

/** Ours and the other schemes all see the same: `freeBytes` is the weight. */
export type BenchPeer = Candidate;

const GB = 1e9;
const EQUAL_BYTES = 1000 * GB;
const [SMALLEST, LARGEST] = [50 * GB, 20_000 * GB];
/** Pareto's: about four fifths belong to one fifth. */
const EXPONENT = 1.16;
const CONTINENTS = 6;

/**
 * The same peers for the same arguments. Peer number `count` is not among them, but `newcomer` makes it.
 * Regions and operators are so many that rules do not bind, but in a tight swarm.
 */
export function swarm(kind: SwarmKind, count: number): BenchPeer[] {
  const bytes = kind === 'skewed' ? shuffled(skewedBytes(count)) : Array(count).fill(EQUAL_BYTES);
  return bytes.map((freeBytes, number) => peer(kind, count, number, freeBytes));
}

/** One peer more, as large as the mean. */
export const newcomer = (kind: SwarmKind, peers: readonly BenchPeer[]): BenchPeer =>
  peer(kind, peers.length, peers.length, Math.round(totalWeight(peers) / peers.length));

export const totalWeight = (peers: readonly BenchPeer[]): number =>
  peers.reduce((sum, { freeBytes }) => sum + freeBytes, 0);

/** The one whose weight comes closest to the mean. */
export function averagePeer(peers: readonly BenchPeer[]): BenchPeer {
  const mean = totalWeight(peers) / peers.length;
  const off = ({ freeBytes }: BenchPeer): number => Math.abs(freeBytes - mean);
  return peers.reduce((best, other) => (off(other) < off(best) ? other : best));
}

export function partitionIds(from: number, count: number): PartitionId[] {
  return Array.from({ length: count }, (_, i) => {
    const hex = new SeededRandom(from + i).next().toString(16).padStart(8, '0');
    return `${hex}-0000-4000-8000-${(from + i).toString(16).padStart(12, '0')}` as PartitionId;
  });
}

function peer(kind: SwarmKind, count: number, number: number, freeBytes: number): BenchPeer {
  const regions = kind === 'tight' ? 4 : Math.min(200, Math.max(10, count / 2));
  const region = number % regions;
  return {
    id: peerId(number),
    operator: kind === 'tight' && number % 10 < 7 ? 'large' : `operator-${number >> 1}`,
    region: `continent-${region % CONTINENTS}/region-${region}/site`,
    freeBytes,
    capacityBytes: freeBytes,
  };
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

function peerId(number: number): PeerId {
  const random = new SeededRandom(number + 1);
  const letters = Array.from({ length: 44 }, () => BASE58[random.below(BASE58.length)]);
  return `12D3KooW${letters.join('')}` as PeerId;
}

/** Quantiles rather than draws, so that a swarm's shape is no matter of luck. */
const skewedBytes = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => {
    const rank = (i + 0.5) / count;
    const least = (SMALLEST / LARGEST) ** EXPONENT;
    return Math.round(SMALLEST * (1 - rank * (1 - least)) ** (-1 / EXPONENT));
  });

function shuffled(values: number[]): number[] {
  const random = new SeededRandom(values.length);
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}
