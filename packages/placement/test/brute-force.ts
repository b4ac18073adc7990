import { type Candidate, type PlacementRules, SOFT_RULES, type SoftRule } from '@holdfast/placement';

/**
 * Tries every set of n candidates, and tells how far the best one gives up each soft rule (in steps, 0: kept). Sets are
 * compared by how far they go in the rule that is given up last, then in the one before it, and so on. Null when no set keeps
 * the hard rules. Written from the rules' definitions, without a look at how the assigner works.
 */
export function bestByBruteForce(candidates: readonly Candidate[], rules: PlacementRules): number[] | null {
  let best: number[] | null = null;
  for (const set of subsets(candidates, (rules.k + rules.m) * rules.copies)) {
    if (!keepsHardRules(set, rules)) continue;
    const given = stepsGivenUp(set, rules);
    if (best === null || compare(given, best) < 0) best = given;
  }
  return best;
}

export const rulesGivenUp = (steps: readonly number[]): SoftRule[] =>
  SOFT_RULES.filter((_, i) => steps[i]! > 0);

/** In the order of SOFT_RULES. */
export function stepsGivenUp(set: readonly Candidate[], rules: PlacementRules): number[] {
  const steps: Record<SoftRule, number> = {
    latency: slowness(set, rules),
    'packet-loss': lossiness(set, rules),
    region: crowding(set, rules),
    continent: missingContinents(set, rules),
    load: overload(set, rules),
    reputation: doubtfulness(set, rules),
  };
  return SOFT_RULES.map((rule) => (rules.off.includes(rule) ? 0 : steps[rule]));
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

/** Positive when `a` gives up more. */
function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

const counts = (texts: readonly string[]): number[] =>
  [...Map.groupBy(texts, (text) => text).values()].map((all) => all.length);

export const keepsHardRules = (set: readonly Candidate[], rules: PlacementRules): boolean =>
  set.every((peer) => peer.freeBytes >= rules.shardBytes) &&
  set.every((peer) => (peer.reputation ?? 1) >= rules.reputationFloor) &&
  counts(set.map((peer) => peer.operator)).every((count) => count <= rules.maxPerOperator) &&
  counts(set.flatMap((peer) => peer.failureDomains ?? [])).every(
    (count) => count <= rules.maxPerFailureDomain,
  );

/** The first limit of 100, 150, 200, 300, 500 ms that the average keeps; then any. Not measured: as slow as the limit. */
function slowness(set: readonly Candidate[], rules: PlacementRules): number {
  const limits = [1, 1.5, 2, 3, 5].map((factor) => factor * rules.maxLatencyMs);
  const step = limits.findIndex((limit) => {
    const sum = set.reduce((total, peer) => total + (peer.latencyMs ?? limit), 0);
    return sum <= limit * set.length;
  });
  return step < 0 ? limits.length : step;
}

/** 5 %, 10 %, 20 %, any. */
function lossiness(set: readonly Candidate[], rules: PlacementRules): number {
  const worst = Math.max(...set.map((peer) => peer.packetLoss ?? -1));
  const step = [1, 2, 4].findIndex((factor) => worst < factor * rules.maxPacketLoss);
  return step < 0 ? 3 : step;
}

const crowding = (set: readonly Candidate[], rules: PlacementRules): number =>
  Math.max(
    0,
    ...counts(set.map((peer) => peer.region.split('/').slice(0, 2).join('/'))).map(
      (n) => n - rules.maxPerRegion,
    ),
  );

const missingContinents = (set: readonly Candidate[], rules: PlacementRules): number =>
  Math.max(0, rules.minContinents - new Set(set.map((peer) => peer.region.split('/')[0])).size);

/** Steps of 10 % above a limit of 70 %; the last is "it fits". */
function overload(set: readonly Candidate[], rules: PlacementRules): number {
  const steps = set.map((peer) => {
    const load = (peer.capacityBytes - peer.freeBytes + rules.shardBytes) / peer.capacityBytes;
    if (peer.freeBytes < rules.headroomShards * rules.shardBytes || load > 0.9) return 3;
    return load > 0.8 ? 2 : load > 0.7 ? 1 : 0;
  });
  return Math.max(...steps);
}

/** Above 0.7, 0.65, 0.6, 0.55; then from 0.5. */
function doubtfulness(set: readonly Candidate[], rules: PlacementRules): number {
  if (rules.minReputation !== 0.7 || rules.reputationFloor !== 0.5)
    throw new Error('Written for the defaults.');
  const worst = Math.min(...set.map((peer) => peer.reputation ?? 1));
  const step = [0.7, 0.65, 0.6, 0.55].findIndex((limit) => worst > limit);
  return step < 0 ? 4 : step;
}
