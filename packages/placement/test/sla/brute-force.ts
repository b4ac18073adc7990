import type { CodeShape } from '@holdfast/placement/sla';

/** Everything here is written from the definitions and lists every case; nothing of the planner is used. */

export interface Peer {
  readonly operator: string;
  /** continent/country */
  readonly region: string;
  readonly failure: number;
}

/** Probability that the event, a function of who is down, happens: the sum over all 2^n outcomes. */
export function probability(failures: readonly number[], event: (down: boolean[]) => boolean): number {
  let sum = 0;
  for (let outcome = 0; outcome < 2 ** failures.length; outcome++) {
    const down = failures.map((_, i) => ((outcome >> i) & 1) === 1);
    if (!event(down)) continue;
    sum += failures.reduce((chance, failure, i) => chance * (down[i] ? failure : 1 - failure), 1);
  }
  return sum;
}

/** Shards in groups of `copies` peers, in the order given: are fewer than k up? */
export function isLost({ k, m, copies }: CodeShape, down: readonly boolean[]): boolean {
  let up = 0;
  for (let shard = 0; shard < k + m; shard++) {
    if (down.slice(shard * copies, (shard + 1) * copies).includes(false)) up += 1;
  }
  return up < k;
}

/** Exact unavailability of one placement: each region is down as a whole with probability `outage`, else its peers by themselves. */
export function unavailabilityOf(shape: CodeShape, placed: readonly Peer[], outage: number): number {
  const regions = [...new Set(placed.map((peer) => peer.region))];
  let sum = 0;
  for (let outcome = 0; outcome < 2 ** regions.length; outcome++) {
    const out = regions.filter((_, i) => (outcome >> i) & 1);
    const chance = outage ** out.length * (1 - outage) ** (regions.length - out.length);
    if (chance === 0) continue;
    const failures = placed.map((peer) => (out.includes(peer.region) ? 1 : peer.failure));
    sum += chance * probability(failures, (down) => isLost(shape, down));
  }
  return sum;
}

export function* subsets<T>(items: readonly T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) yield [];
  else {
    for (let i = from; i + size <= items.length; i++) {
      for (const rest of subsets(items, size - 1, i + 1)) yield [items[i]!, ...rest];
    }
  }
}

export function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  for (const [i, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(i, 1))) yield [item, ...rest];
  }
}

export const mostAlike = (names: readonly string[]): number =>
  Math.max(0, ...[...Map.groupBy(names, (name) => name).values()].map((all) => all.length));

export interface Spread {
  readonly perOperator: number;
  readonly perRegion: number;
  readonly continents: number;
}

export const continentsOf = (placed: readonly Peer[]): number =>
  new Set(placed.map((peer) => peer.region.split('/')[0])).size;

export const keeps = (placed: readonly Peer[], { perOperator, perRegion, continents }: Spread): boolean =>
  mostAlike(placed.map((peer) => peer.operator)) <= perOperator &&
  mostAlike(placed.map((peer) => peer.region)) <= perRegion &&
  continentsOf(placed) >= continents;
