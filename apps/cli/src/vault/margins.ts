import type { Catalog, PartitionId, PeerId, Stripe } from '@holdfast/contracts';

/** How safe the partitions are, seen from which peers answer now. */
export interface Margins {
  readonly partitions: number;
  /** Partitions by margin: shards on reachable peers − k. Ascending. */
  readonly byMargin: ReadonlyMap<number, number>;
  /** The least margin of all; null without partitions. Below 0: something cannot be restored at the moment. */
  readonly least: number | null;
  /** Some of those below 0. */
  readonly lost: readonly PartitionId[];
}

const PAGE = 10_000;
const MOST_LOST = 100;

/**
 * From the catalog alone: placements say where shards are, so no data is fetched. Numbers may have gaps (abandoned
 * partitions), so pages are read until every partition that the catalog counts was seen.
 */
export async function measureMargins(catalog: Catalog, reachable: ReadonlySet<PeerId>): Promise<Margins> {
  const counts = new Map<number, number>();
  const lost: PartitionId[] = [];
  let seen = 0;
  const count = (stripe: Stripe): void => {
    const margin = stripe.shards.filter((shard) => reachable.has(shard.peer)).length - stripe.k;
    counts.set(margin, (counts.get(margin) ?? 0) + 1);
    if (margin < 0 && lost.length < MOST_LOST) lost.push(stripe.id);
    seen++;
  };
  const { partitions } = await catalog.totals();
  let first = 0;
  for (let empty = 0; seen < partitions && empty < PAGE; first += PAGE) {
    const stripes = await catalog.stripes(Array.from({ length: PAGE }, (_, i) => first + i));
    const before = seen;
    for (const stripe of stripes) if (stripe) count(stripe);
    empty = seen === before ? empty + 1 : 0;
  }
  const byMargin = new Map([...counts].sort(([a], [b]) => a - b));
  return { partitions: seen, byMargin, least: byMargin.keys().next().value ?? null, lost };
}
