import type { PeerId } from '@holdfast/contracts';
import { checkAtLeast, checkTime, senseless } from '../state.ts';

/** The document's timeline around T, when the peer leaves. Milliseconds, unless said otherwise. */
export interface DepartureSettings {
  /** Notice asked for. Less is accepted, and said to be late. */
  readonly announceMs: number;
  /** How long before T a plan is made. */
  readonly planMs: number;
  /** How long before T transfers begin. */
  readonly transferMs: number;
  /** How long after T verification and cleaning up may take. */
  readonly completeMs: number;
  /** What one departing peer sends, in bytes a second. */
  readonly bytesPerSecond: number;
}

const HOUR_MS = 3_600_000;

export const defaultDeparture: DepartureSettings = {
  announceMs: 24 * HOUR_MS,
  planMs: 12 * HOUR_MS,
  transferMs: 6 * HOUR_MS,
  completeMs: HOUR_MS,
  bytesPerSecond: 2 ** 20,
};

export interface Departing {
  readonly peer: PeerId;
  /** Wall clock, ms. */
  readonly announcedAt: number;
  /** T */
  readonly leavesAt: number;
}

export interface Timeline extends Departing {
  readonly planAt: number;
  readonly transfersFrom: number;
  /** T, or later where the transfers take longer. */
  readonly verifyAt: number;
  readonly completeAt: number;
  /** Announced with less notice than asked for. */
  readonly late: boolean;
}

export type DeparturePhase = 'announced' | 'planning' | 'transfer' | 'verification' | 'serving' | 'complete';

/** @param work ms that the transfers take when nothing is in their way */
export function timelineOf(
  departing: Departing,
  settings: DepartureSettings,
  now: number,
  work: number,
): Timeline {
  const { announcedAt, leavesAt } = departing;
  const planAt = Math.max(announcedAt, leavesAt - settings.planMs);
  const transfersFrom = Math.max(now, planAt, leavesAt - settings.transferMs);
  const verifyAt = Math.max(leavesAt, transfersFrom + Math.ceil(work));
  return {
    ...departing,
    planAt,
    transfersFrom,
    verifyAt,
    completeAt: verifyAt + settings.completeMs,
    late: leavesAt - announcedAt < settings.announceMs,
  };
}

/**
 * Where a departure is at. A peer with shards left never counts as gone, whatever the clock says: it goes on serving.
 * @param remaining shards that only this peer is relied on for
 */
export function departurePhase(timeline: Timeline, now: number, remaining: number): DeparturePhase {
  if (now < timeline.planAt) return 'announced';
  if (now < timeline.transfersFrom) return 'planning';
  if (now < timeline.verifyAt) return 'transfer';
  if (now < timeline.completeAt) return 'verification';
  return remaining > 0 ? 'serving' : 'complete';
}

/** USAGE, naming field and value. */
export function checkDepartures(departing: readonly Departing[], settings: DepartureSettings): void {
  checkAtLeast('completeMs', settings.completeMs, 0);
  checkAtLeast('transferMs', settings.transferMs, 0);
  checkAtLeast('planMs', settings.planMs, settings.transferMs);
  checkAtLeast('announceMs', settings.announceMs, settings.planMs);
  checkAtLeast('bytesPerSecond', settings.bytesPerSecond, 1);
  const seen = new Set<PeerId>();
  for (const { peer, announcedAt, leavesAt } of departing) {
    if (seen.has(peer)) throw senseless(`Peer ${peer} departs twice.`, 'departing', peer);
    seen.add(peer);
    checkTime('announcedAt', announcedAt);
    checkTime('leavesAt', leavesAt);
    if (leavesAt >= announcedAt) continue;
    throw senseless(`Peer ${peer} leaves before it says so.`, 'leavesAt', leavesAt);
  }
}
