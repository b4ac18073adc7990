import type { Candidate, PlacementRules, SoftRule } from '@holdfast/placement';

/**
 * Tries every set of n candidates, and tells which soft rules the best one gives up. Sets are compared by how far they
 * go in the rule that is given up last, then in the one before it, and so on. Null when no set keeps the hard rules.
 * Written from the rules' definitions, without a look at how the assigner works.
 */
export function bestByBruteForce(candidates: readonly Candidate[], rules: PlacementRules): SoftRule[] | null {
  let best: number[] | null = null;
  for (const set of subsets(candidates, rules.k + rules.m)) {
    if (!keepsHardRules(set, rules)) continue;
    const given = [overload(set, rules), missingContinents(set, rules), crowding(set, rules)];
    if (best === null || compare(given, best) < 0) best = given;
  }
  if (best === null) return null;
  return (['load', 'continent', 'region'] as const).filter((_, i) => best[i]! > 0).reverse();
}

function* subsets<T>(items: readonly T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let i = from; i + size <= items.length; i++) {
    for (const rest of subsets(items, size - 1, i + 1)) yield [items[i]!, ...rest];
  }
}

function compare(a: number[], b: number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

const counts = (texts: string[]): number[] =>
  [...Map.groupBy(texts, (text) => text).values()].map((all) => all.length);

const keepsHardRules = (set: Candidate[], rules: PlacementRules): boolean =>
  set.every((peer) => peer.freeBytes >= rules.shardBytes) &&
  counts(set.map((peer) => peer.operator)).every((count) => count <= rules.maxPerOperator);

const crowding = (set: Candidate[], rules: PlacementRules): number =>
  Math.max(
    0,
    ...counts(set.map((peer) => peer.region.split('/').slice(0, 2).join('/'))).map(
      (n) => n - rules.maxPerRegion,
    ),
  );

const missingContinents = (set: Candidate[], rules: PlacementRules): number =>
  Math.max(0, rules.minContinents - new Set(set.map((peer) => peer.region.split('/')[0])).size);

/** Steps of 10 % above a limit of 70 %; the last is "it fits". */
function overload(set: Candidate[], rules: PlacementRules): number {
  const steps = set.map((peer) => {
    const load = (peer.capacityBytes - peer.freeBytes + rules.shardBytes) / peer.capacityBytes;
    if (peer.freeBytes < rules.headroomShards * rules.shardBytes || load > 0.9) return 3;
    return load > 0.8 ? 2 : load > 0.7 ? 1 : 0;
  });
  return Math.max(...steps);
}
