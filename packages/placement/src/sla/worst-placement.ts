import { type CodeShape, peersOf } from './code-shape.ts';
import { binomial, probabilityOfMoreThan } from './poisson-binomial.ts';
import type { UsablePeer } from './usable-peers.ts';

/**
 * The `count` least reliable peers of which no operator has more than `perOperator`, as probabilities of failure. No
 * set of so many that keeps the limit is worse in any place when both are sorted, because taking the greatest first is
 * optimal so in a matroid (Gale, "Optimal assignments in an ordered set", 1968). Fewer when there are no more.
 * @param peers least reliable first
 */
export function leastReliable(peers: Iterable<UsablePeer>, count: number, perOperator: number): number[] {
  const taken = new Map<string, number>();
  const failures: number[] = [];
  for (const { operator, failure } of peers) {
    if (failures.length >= count) break;
    const before = taken.get(operator) ?? 0;
    if (before >= perOperator) continue;
    taken.set(operator, before + 1);
    failures.push(failure);
  }
  return failures;
}

/**
 * Unavailability of a partition on peers that fail so, independently, with copies put together as badly as can be: the least
 * reliable peers have all copies of one shard. No other grouping is worse: of two shards the product of their
 * probabilities to be lost stays as it is whoever holds which copies, and the chance that too many are lost grows with
 * their sum, which is greatest when the one has all the worst peers.
 * @param failures of k + m times copies peers, in descending order
 */
export function unavailabilityOf(shape: CodeShape, failures: readonly number[]): number {
  return probabilityOfMoreThan(shape.m, shardFailures(failures, shape.copies));
}

function shardFailures(failures: readonly number[], copies: number): readonly number[] {
  if (copies === 1) return failures;
  const shards: number[] = [];
  for (let first = 0; first < failures.length; first += copies) {
    shards.push(failures.slice(first, first + copies).reduce((all, failure) => all * failure, 1));
  }
  return shards;
}

export interface WorstCase {
  readonly shape: CodeShape;
  /** Of the least reliable peers, as many as the partition needs, in descending order. */
  readonly failures: readonly number[];
  /** Regions that usable peers are in. */
  readonly regions: number;
  /** Most shards of a partition, copies counted, in one region. */
  readonly perRegion: number;
  readonly regionOutage: number;
}

/**
 * Unavailability that no placement within these limits exceeds. It lies in at most `regions` regions; each is down with
 * probability `regionOutage`, and takes at most `perRegion` shards with it; the rest are at best as bad as the least
 * reliable peers. A bound and not the exact worst: no placement has both the most regions and the most in each.
 */
export function worstUnavailability({
  shape,
  failures,
  regions,
  perRegion,
  regionOutage,
}: WorstCase): number {
  const need = peersOf(shape);
  const chances = binomial(Math.min(need, regions), regionOutage);
  const unavailable = chances.reduceRight((sum, chance, down) => {
    const lost = Math.min(need, down * perRegion);
    return chance === 0 ? sum : sum + chance * withPeersLost(shape, failures, lost);
  }, 0);
  // Rounding may put the sum of all chances a little above 1.
  return Math.min(1, unavailable);
}

/** With so many peers of the partition down for sure, and the others as unreliable as any. */
export function withPeersLost(shape: CodeShape, failures: readonly number[], lost: number): number {
  return unavailabilityOf(shape, [
    ...Array<number>(lost).fill(1),
    ...failures.slice(0, peersOf(shape) - lost),
  ]);
}
