import { HoldfastError, isPartitionId, type PartitionId, type PeerId } from '@holdfast/contracts';
import { type Candidate, checkCandidates } from '../candidate.ts';
import type { Holding } from '../holding.ts';
import { checkRules, type PlacementRules, type PlacementSettings } from '../placement-rules.ts';

/** One partition as upkeep sees it, one copy of each shard. Plain data, as everything here: it survives JSON. */
export interface PartitionState {
  readonly id: PartitionId;
  readonly k: number;
  readonly m: number;
  /** Of each shard. */
  readonly shardBytes: number;
  /** A Clay code's d. Absent or 0: plain Reed–Solomon. */
  readonly helpers?: number;
  /** Index i holds shard i; null: nobody. */
  readonly holders: readonly (PeerId | null)[];
  /** Who had a shard of it, or may have got one (`until` absent). */
  readonly past: readonly Holding[];
  /** Text of the hash of each shard's bytes. */
  readonly hashes: readonly string[];
  /** Column families of the same rows name the same group; looked at where the settings separate siblings. */
  readonly siblingGroup?: string;
  /** Who has or had shards of siblings that are not among the partitions given. */
  readonly siblings?: readonly Holding[];
}

/** A peer that does not answer. */
export interface Outage {
  readonly peer: PeerId;
  /** Wall clock, ms: when it answered last. */
  readonly since: number;
  /** Known not to come back, so that there is nothing to wait for. */
  readonly gone?: boolean;
}

/** What every plan starts from. */
export interface UpkeepState {
  readonly partitions: readonly PartitionState[];
  /** Facts of all peers that have, had or may get a shard. One that is missing is charged to every operator. */
  readonly peers: readonly Candidate[];
  /** Those that may get shards now: members in good standing that answer. */
  readonly candidates: readonly PeerId[];
  readonly outages: readonly Outage[];
  readonly settings: PlacementSettings;
  /** Wall clock, ms. */
  readonly now: number;
}

/**
 * The settings are one for partitions of every shape; where a small one cannot have what they say, the limits that keep
 * it safe are those of its shape (never more than k − 1 with one adversary).
 */
export function rulesFor(
  { k, m, shardBytes }: Pick<PartitionState, 'k' | 'm' | 'shardBytes'>,
  settings: PlacementSettings,
): PlacementRules {
  return {
    ...settings,
    maxPerOperator: Math.min(settings.maxPerOperator, k - 1),
    maxPerFailureDomain: Math.min(settings.maxPerFailureDomain, k - 1),
    minDistinctPeers: Math.min(settings.minDistinctPeers, k + m),
    minContinents: Math.min(settings.minContinents, k + m),
    k,
    m,
    copies: 1,
    shardBytes,
  };
}

/** USAGE, naming object, field and value, for a state that contradicts itself. */
export function checkState(state: UpkeepState): void {
  checkTime('now', state.now);
  checkCandidates(state.peers);
  const known = new Set(state.peers.map(({ id }) => id));
  const takers = unique('candidates', state.candidates);
  for (const id of takers) {
    if (!known.has(id)) throw senseless(`Candidate ${id} is not among the peers.`, 'candidates', id);
  }
  for (const { since, peer } of state.outages) {
    checkTime('outages.since', since);
    if (takers.has(peer)) throw senseless(`Peer ${peer} is both away and a candidate.`, 'outages', peer);
  }
  unique(
    'outages',
    state.outages.map(({ peer }) => peer),
  );
  unique(
    'partitions',
    state.partitions.map(({ id }) => id),
  );
  for (const partition of state.partitions) checkPartition(partition, state.settings);
}

export function checkTime(field: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw senseless(`${field} is ${value}, not a time in milliseconds.`, field, value);
}

/** USAGE unless the value is a number from `least` to below infinity. */
export function checkAtLeast(field: string, value: number, least: number): void {
  if (value >= least && value < Number.POSITIVE_INFINITY) return;
  throw senseless(`${field} is ${value}; it must be at least ${least}.`, field, value);
}

export const senseless = (message: string, field: string, value: unknown): HoldfastError =>
  new HoldfastError('USAGE', message, { details: { field, value } });

function unique<T extends string>(field: string, values: readonly T[]): Set<T> {
  const seen = new Set<T>();
  for (const value of values) {
    if (seen.has(value)) throw senseless(`${value} is listed twice in ${field}.`, field, value);
    seen.add(value);
  }
  return seen;
}

function checkPartition(partition: PartitionState, settings: PlacementSettings): void {
  const { id, k, m, helpers = 0, holders, hashes, past, siblings = [] } = partition;
  if (!isPartitionId(id)) throw senseless(`${id} is not a partition's id.`, 'id', id);
  checkRules(rulesFor(partition, settings));
  const n = k + m;
  const wrong = (field: string, value: unknown, wanted: string): HoldfastError =>
    senseless(`Partition ${id}: ${field} is ${value}; it must be ${wanted}.`, field, value);
  if (holders.length !== n) throw wrong('holders.length', holders.length, `k + m = ${n}`);
  if (hashes.length !== n) throw wrong('hashes.length', hashes.length, `k + m = ${n}`);
  if (helpers !== 0 && !(Number.isInteger(helpers) && helpers > k && helpers < n)) {
    throw wrong('helpers', helpers, `0 or from ${k + 1} to ${n - 1}`);
  }
  for (const { index } of past) {
    if (!(Number.isInteger(index) && index >= 0 && index < n)) {
      throw wrong('past.index', index, `from 0 to ${n - 1}`);
    }
  }
  for (const { until } of [...past, ...siblings]) {
    if (until !== undefined) checkTime(`Partition ${id}: until`, until);
  }
}
