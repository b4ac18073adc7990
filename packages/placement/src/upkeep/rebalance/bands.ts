import { checkAtLeast, senseless } from '../state.ts';

export interface RebalanceSettings {
  /** Most bytes that one plan moves. */
  readonly maxBytes: number;
  /** And the most of all bytes stored, 0 … 1. */
  readonly maxShare: number;
  /** A peer this share above or below what is wanted of it starts moves, */
  readonly startAt: number;
  /** which end once it is within this share. */
  readonly stopAt: number;
  /** An overloaded peer gives away until it is this share of its capacity below maxLoad. */
  readonly loadSlack: number;
}

const GiB = 2 ** 30;

/** Peers chosen by hash differ by chance: with a few hundred shards each, hardly one in a hundred by as much as a fifth. */
export const defaultRebalance: RebalanceSettings = {
  maxBytes: 100 * GiB,
  maxShare: 0.05,
  startAt: 0.2,
  stopAt: 0.05,
  loadSlack: 0.02,
};

/** USAGE, naming field and value. */
export function checkRebalanceSettings(settings: RebalanceSettings): void {
  const { maxBytes, maxShare, startAt, stopAt, loadSlack } = settings;
  checkAtLeast('maxBytes', maxBytes, 0);
  checkAtLeast('startAt', startAt, 0);
  checkAtLeast('stopAt', stopAt, 0);
  checkAtLeast('maxShare', maxShare, 0);
  checkAtLeast('loadSlack', loadSlack, 0);
  if (maxShare > 1) throw senseless(`maxShare is ${maxShare}; it must be at most 1.`, 'maxShare', maxShare);
  if (loadSlack > 1)
    throw senseless(`loadSlack is ${loadSlack}; it must be at most 1.`, 'loadSlack', loadSlack);
  if (stopAt < startAt) return;
  throw senseless(`stopAt is ${stopAt}; it must be below startAt, ${startAt}.`, 'stopAt', stopAt);
}

/**
 * The width of a band around what is wanted. A peer of which nothing is wanted has none: it is to be emptied. For others
 * no band is narrower than a shard, since nothing smaller can be moved.
 */
export const band = (wanted: number, share: number, shardBytes: number): number =>
  wanted === 0 ? 0 : Math.max(share * wanted, shardBytes);
