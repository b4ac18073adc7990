import { HoldfastError, MAX_STRIPE_SHARDS, SHARD_BYTES } from '@holdfast/contracts';

/** `erasure`: one copy of each shard, parity bears the losses. `replication`: several copies of each. */
export const SLA_SCHEMES = ['erasure', 'replication'] as const;
export type SlaScheme = (typeof SLA_SCHEMES)[number];

export interface SlaSettings {
  readonly scheme: SlaScheme;
  /** C_separation of the document: 2 to 3 more holders because complementary shards lie apart. */
  readonly separation: number;
  /** Share of the peers that leave for good per day. */
  readonly churnPerDay: number;
  /** Uptime of peers that have no measured one, strictly between 0 and 1. */
  readonly assumedUptime: number;
  /** P_peer_failure of the formula, strictly between 0 and 1. Absent: the usable peers' mean. */
  readonly peerFailure?: number | undefined;
  /** Probability that a region is down as a whole, 0 … 1; regions are independent of each other. */
  readonly regionOutage: number;
  /** Range of k that is searched. */
  readonly minK: number;
  readonly maxK: number;
  /** Most parity shards that are considered. */
  readonly maxParity: number;
  /** Range of copies that is searched for `replication`. */
  readonly minCopies: number;
  readonly maxCopies: number;
  readonly shardBytes: number;
  /** Usable peers that no code may count on: see `sparePeers`. */
  readonly spares: number;
}

/**
 * Above 20 + m a further primary shard saves less than m / 420 of the data and makes every repair read, and every restore
 * wait for, one peer more. One minute a week is 0.0001: what large providers promise of a region. Copies: the document's
 * default, and its table's largest.
 */
export const defaultSlaSettings: SlaSettings = {
  scheme: 'erasure',
  separation: 2,
  churnPerDay: 0,
  assumedUptime: 0.95,
  regionOutage: 0.0001,
  minK: 2,
  maxK: 20,
  maxParity: 60,
  minCopies: 3,
  maxCopies: 7,
  shardBytes: SHARD_BYTES,
  spares: 0,
};

/** USAGE, naming field and value, for settings that are out of range or contradict each other. */
export function checkSlaSettings(settings: SlaSettings): void {
  if (!SLA_SCHEMES.includes(settings.scheme)) {
    throw invalid('scheme', settings.scheme, SLA_SCHEMES.join(' or '));
  }
  whole('separation', settings.separation, 2, 3);
  inside('assumedUptime', settings.assumedUptime);
  if (settings.peerFailure !== undefined) inside('peerFailure', settings.peerFailure);
  within('churnPerDay', settings.churnPerDay, 0, MOST_CHURN);
  within('regionOutage', settings.regionOutage, 0, 1);
  whole('minK', settings.minK, 2, MAX_STRIPE_SHARDS - 1);
  whole('maxK', settings.maxK, settings.minK, MAX_STRIPE_SHARDS - 1);
  whole('maxParity', settings.maxParity, 1, MAX_STRIPE_SHARDS);
  whole('minCopies', settings.minCopies, 2, MAX_STRIPE_SHARDS);
  whole('maxCopies', settings.maxCopies, settings.minCopies, MAX_STRIPE_SHARDS);
  whole('shardBytes', settings.shardBytes, 1, Number.MAX_SAFE_INTEGER);
  whole('spares', settings.spares, 0, Number.MAX_SAFE_INTEGER);
}

/** All peers replaced every hour. */
const MOST_CHURN = 24;

function whole(field: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw invalid(field, value, `a whole number from ${least} to ${most}`);
}

function within(field: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) throw invalid(field, value, `from ${least} to ${most}`);
}

function inside(field: string, value: number): void {
  if (!(value > 0 && value < 1)) throw invalid(field, value, 'between 0 and 1, both excluded');
}

const invalid = (field: string, value: number | string, wanted: string) =>
  new HoldfastError('USAGE', `SLA setting ${field} is ${value}; it must be ${wanted}.`, {
    details: { field, value },
  });
