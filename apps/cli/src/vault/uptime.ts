import type { PeerId, ProbeWindow } from '@holdfast/contracts';

export interface Uptime {
  /** 0 < uptime < 1: the share of time in which the peer answers, as well as it is known. */
  readonly uptime: number;
  /** Hours in which it was asked at all. 0: `uptime` is nothing but the prior. */
  readonly hours: number;
  readonly asked: number;
  readonly answered: number;
  /** Milliseconds; null when it never answered. */
  readonly bestTripMs: number | null;
  readonly meanTripMs: number | null;
}

/** What is assumed of a peer that was never asked, … */
export const PRIOR_UPTIME = 0.95;
/** … and how many hours of measuring that assumption is worth: after two days it is outweighed. */
export const PRIOR_HOURS = 48;

/**
 * Share of time in which a peer answers: (answered + prior) / (asked + prior weight), the mean of a Beta distribution
 * whose prior is worth `PRIOR_HOURS` hours at `PRIOR_UPTIME`. Few observations therefore say little, and nobody has 0 or 1.
 *
 * An hour is one observation, as large as the share of its questions that were answered, however many they were: what
 * happens within an hour has mostly one cause, and a long backup that asks every half minute must not outvote a week.
 * How many packets a peer loses does not follow from this: requests run over TCP, which repeats what was lost.
 * @param windows of one peer
 */
export function uptimeOf(windows: readonly Omit<ProbeWindow, 'peer'>[]): Uptime {
  let [hours, up, asked, answered, tripSum, best] = [0, 0, 0, 0, 0, Number.POSITIVE_INFINITY];
  for (const window of windows) {
    if (window.asked === 0) continue;
    hours++;
    up += window.answered / window.asked;
    asked += window.asked;
    answered += window.answered;
    tripSum += window.tripSumMs;
    if (window.answered > 0) best = Math.min(best, window.tripMinMs);
  }
  return {
    uptime: (up + PRIOR_UPTIME * PRIOR_HOURS) / (hours + PRIOR_HOURS),
    hours,
    asked,
    answered,
    bestTripMs: answered > 0 ? best : null,
    meanTripMs: answered > 0 ? tripSum / answered : null,
  };
}

/** Every peer of whom something was measured. */
export function uptimes(windows: readonly ProbeWindow[]): Map<PeerId, Uptime> {
  const byPeer = Map.groupBy(windows, (window) => window.peer);
  return new Map([...byPeer].map(([peer, own]) => [peer, uptimeOf(own)]));
}
