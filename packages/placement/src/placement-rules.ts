import { HoldfastError, MAX_STRIPE_SHARDS, SHARD_BYTES } from '@holdfast/contracts';

/**
 * Soft rules in the order in which they are given up, first to go first. (Latency and packet loss come before all of
 * these once they are measured.)
 */
export const SOFT_RULES = ['region', 'continent', 'load'] as const;
export type SoftRule = (typeof SOFT_RULES)[number];

/** A soft rule that this placement could not keep, and why; kept with the placement and shown to people. */
export interface Relaxation {
  readonly rule: SoftRule;
  readonly reason: string;
}

/** The numbers in the rules. `k`, `m` and `maxPerOperator` are hard; the rest is soft. */
export interface PlacementRules {
  readonly k: number;
  readonly m: number;
  /** Most different shards of a partition that one operator's peers may ever hold: 1 … k − 1. */
  readonly maxPerOperator: number;
  /** Size of each shard. A peer without room for one is never chosen. */
  readonly shardBytes: number;
  /** Most shards of a partition in one region (the first two components of a peer's region). */
  readonly maxPerRegion: number;
  /** Fewest continents (first component) that a partition's shards lie on. */
  readonly minContinents: number;
  /** Most of its capacity, 0 … 1, that a peer may use once it has the shard. */
  readonly maxLoad: number;
  /** Free room that a peer must have, in shards. */
  readonly headroomShards: number;
}

/** The document's defaults: ≤ 3 peers a region, ≥ 2 continents, ≤ 70 % load, room for 2 shards, k − 1 an operator. */
export const defaultRules = (k: number, m: number): PlacementRules => ({
  k,
  m,
  maxPerOperator: k - 1,
  shardBytes: SHARD_BYTES,
  maxPerRegion: 3,
  minContinents: 2,
  maxLoad: 0.7,
  headroomShards: 2,
});

/** USAGE for rules that contradict themselves or the promises. */
export function checkRules(rules: PlacementRules): void {
  const { k, m } = rules;
  within('k', k, 2, MAX_STRIPE_SHARDS);
  within('m', m, 0, MAX_STRIPE_SHARDS - k);
  within('maxPerOperator', rules.maxPerOperator, 1, k - 1);
  within('shardBytes', rules.shardBytes, 1, Number.MAX_SAFE_INTEGER);
  within('maxPerRegion', rules.maxPerRegion, 1, Number.MAX_SAFE_INTEGER);
  within('minContinents', rules.minContinents, 1, k + m);
  within('headroomShards', rules.headroomShards, 1, Number.MAX_SAFE_INTEGER);
  if (!(rules.maxLoad > 0 && rules.maxLoad <= 1))
    throw invalid('maxLoad', rules.maxLoad, 'above 0 and at most 1');
}

function within(field: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw invalid(field, value, `a whole number from ${least} to ${most}`);
}

const invalid = (field: string, value: number, wanted: string) =>
  new HoldfastError('USAGE', `Placement rule ${field} is ${value}; it must be ${wanted}.`);
