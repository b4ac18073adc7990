import { HoldfastError, MAX_STRIPE_SHARDS, SHARD_BYTES } from '@holdfast/contracts';

/** Soft rules in the order in which they are given up, first to go first. */
export const SOFT_RULES = ['latency', 'packet-loss', 'region', 'continent', 'load', 'reputation'] as const;
export type SoftRule = (typeof SOFT_RULES)[number];

/** A soft rule that this placement could not keep, and why; kept with the placement and shown to people. */
export interface Relaxation {
  readonly rule: SoftRule;
  readonly reason: string;
}

/** What people set: the same for partitions of every shape. */
export interface PlacementSettings {
  // Hard. There is no switch for these.
  /** Most different shards of a partition that one operator's peers may hold, or have held within T windows: 1 … k − 1. */
  readonly maxPerOperator: number;
  /** The same for any other failure domain. */
  readonly maxPerFailureDomain: number;
  /** Fewest different peers that a partition's shards lie on. */
  readonly minDistinctPeers: number;
  /** For how many windows of `windowHours` a former holder of a shard may get no other of the partition. */
  readonly separationWindows: number;
  readonly windowHours: number;
  /** Stricter: column families of the same rows are complementary too, so that no peer has parts of two of them. */
  readonly separateSiblings: boolean;
  // Soft.
  /** Milliseconds, on average over the peers of a partition. */
  readonly maxLatencyMs: number;
  /** Share of packets, 0 … 1. */
  readonly maxPacketLoss: number;
  /** Most shards of a partition in one region (the first two components of a peer's region). */
  readonly maxPerRegion: number;
  /** Fewest continents (first component) that a partition's shards lie on. */
  readonly minContinents: number;
  /** Most of its capacity, 0 … 1, that a peer may use once it has the shard. */
  readonly maxLoad: number;
  /** Free room that a peer must have, in shards. */
  readonly headroomShards: number;
  /** Reputation that a peer must exceed, 0 … 1. */
  readonly minReputation: number;
  /** Hard: the reputation below which none is ever chosen, however short of peers the swarm is. */
  readonly reputationFloor: number;
  /** Soft rules that are switched off. */
  readonly off: readonly SoftRule[];
}

/** The numbers in the rules for one shape of partition. */
export interface PlacementRules extends PlacementSettings {
  readonly k: number;
  readonly m: number;
  /** Peers for each shard: 1 with erasure coding alone. */
  readonly copies: number;
  /** Size of each shard. A peer without room for one is never chosen. */
  readonly shardBytes: number;
}

/** The document's figures; whatever has none there is as strict as the promises. */
export const defaultSettings = (k: number): PlacementSettings => ({
  maxPerOperator: k - 1,
  maxPerFailureDomain: k - 1,
  minDistinctPeers: 3,
  separationWindows: 30,
  windowHours: 24,
  separateSiblings: false,
  maxLatencyMs: 100,
  maxPacketLoss: 0.05,
  maxPerRegion: 3,
  minContinents: 2,
  maxLoad: 0.7,
  headroomShards: 2,
  minReputation: 0.7,
  reputationFloor: 0.5,
  off: [],
});

export const defaultRules = (k: number, m: number): PlacementRules => ({
  ...defaultSettings(k),
  k,
  m,
  copies: 1,
  shardBytes: SHARD_BYTES,
});

/** Peers that a whole partition takes. */
export const peersNeeded = ({ k, m, copies }: Pick<PlacementRules, 'k' | 'm' | 'copies'>): number =>
  (k + m) * copies;

const MANY = Number.MAX_SAFE_INTEGER;

/** USAGE, naming field and value, for rules that contradict themselves or the promises. */
export function checkRules(rules: PlacementRules): void {
  const { k, m } = rules;
  whole('k', k, 2, MAX_STRIPE_SHARDS);
  whole('m', m, 0, MAX_STRIPE_SHARDS - k);
  whole('copies', rules.copies, 1, MAX_STRIPE_SHARDS);
  whole('maxPerOperator', rules.maxPerOperator, 1, k - 1);
  whole('maxPerFailureDomain', rules.maxPerFailureDomain, 1, k - 1);
  whole('minDistinctPeers', rules.minDistinctPeers, 1, peersNeeded(rules));
  whole('separationWindows', rules.separationWindows, 1, MANY);
  whole('shardBytes', rules.shardBytes, 1, MANY);
  whole('maxPerRegion', rules.maxPerRegion, 1, MANY);
  whole('minContinents', rules.minContinents, 1, k + m);
  whole('headroomShards', rules.headroomShards, 1, MANY);
  positive('windowHours', rules.windowHours, MANY);
  positive('maxLatencyMs', rules.maxLatencyMs, MANY);
  positive('maxLoad', rules.maxLoad, 1);
  positive('maxPacketLoss', rules.maxPacketLoss, 1);
  share('minReputation', rules.minReputation, 1);
  share('reputationFloor', rules.reputationFloor, rules.minReputation);
  for (const rule of rules.off) {
    if (!SOFT_RULES.includes(rule)) throw invalid('off', rule, `among ${SOFT_RULES.join(', ')}`);
  }
}

function whole(field: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw invalid(field, value, `a whole number from ${least} to ${most}`);
}

function positive(field: string, value: number, most: number): void {
  if (!(value > 0 && value <= most)) throw invalid(field, value, `above 0 and at most ${most}`);
}

function share(field: string, value: number, most: number): void {
  if (!(value >= 0 && value <= most)) throw invalid(field, value, `from 0 to ${most}`);
}

const invalid = (field: string, value: number | string, wanted: string) =>
  new HoldfastError('USAGE', `Placement rule ${field} is ${value}; it must be ${wanted}.`, {
    details: { field, value },
  });
