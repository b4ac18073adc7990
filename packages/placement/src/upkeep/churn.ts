import type { PeerId } from '@holdfast/contracts';
import { checkAtLeast, checkTime, senseless } from './state.ts';

export interface ChurnSettings {
  /** Share of peers departed within an hour, or a day, above which churn is high. */
  readonly highPerHour: number;
  readonly highPerDay: number;
  /** At or below both of which it is low; in between nothing changes. */
  readonly lowPerHour: number;
  readonly lowPerDay: number;
  /** For how long it must have been low before everything is as usual again, ms. */
  readonly stabilisationMs: number;
  /** Most parity shards that churn adds. */
  readonly maxExtraParity: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** High and 24 h are the document's; low is half of high, so that it takes calm and not just a little less. */
export const defaultChurn: ChurnSettings = {
  highPerHour: 0.2,
  highPerDay: 0.3,
  lowPerHour: 0.1,
  lowPerDay: 0.15,
  stabilisationMs: DAY_MS,
  maxExtraParity: 4,
};

export interface ChurnObservation {
  /** Peers that are active now. */
  readonly activePeers: number;
  /** Who departed, announced or not, and when (wall clock, ms); at least the last 24 hours. */
  readonly departures: readonly { readonly peer: PeerId; readonly at: number }[];
}

export interface ChurnState {
  readonly level: 'normal' | 'high';
  /** Wall clock, ms: of this observation, and since when the level is what it is. */
  readonly at: number;
  readonly since: number;
  /** Since when every observation has found churn low. Null: it was not, or is not known to have been. */
  readonly lowSince: number | null;
  readonly perHour: number;
  readonly perDay: number;
  /** The worst of both rates since churn became high; 0 at the normal level. */
  readonly peak: number;
}

/**
 * The next state of churn. High from one observation above either threshold on; normal after 24 h in which all
 * observations were low, none of them more than a day after the one before (what happened between is not known).
 * @param previous null: the first observation
 */
export function churnState(
  previous: ChurnState | null,
  observation: ChurnObservation,
  settings: ChurnSettings,
  now: number,
): ChurnState {
  checkChurn(observation, settings, now);
  const perHour = rate(observation, now, HOUR_MS);
  const perDay = rate(observation, now, DAY_MS);
  const isHigh = perHour > settings.highPerHour || perDay > settings.highPerDay;
  const isLow = perHour <= settings.lowPerHour && perDay <= settings.lowPerDay;
  const lowSince = isLow ? lowFrom(previous, now) : null;
  const was = previous?.level ?? 'normal';
  const calm = lowSince !== null && now - lowSince >= settings.stabilisationMs;
  const level = isHigh ? 'high' : was === 'high' && !calm ? 'high' : 'normal';
  const peak = level === 'high' ? Math.max(previous?.peak ?? 0, perHour, perDay) : 0;
  const since = previous && level === previous.level ? previous.since : now;
  return { level, at: now, since, lowSince, perHour, perDay, peak };
}

function lowFrom(previous: ChurnState | null, now: number): number {
  if (!previous || previous.lowSince === null || now - previous.at > DAY_MS) return now;
  return Math.min(previous.lowSince, now);
}

/** Of the peers that there were, as far as is known: those that are left and those that departed. */
function rate({ activePeers, departures }: ChurnObservation, now: number, span: number): number {
  const recent = departures.filter(({ at }) => at > now - span && at <= now);
  const departed = new Set(recent.map(({ peer }) => peer)).size;
  return departed === 0 ? 0 : departed / (departed + activePeers);
}

export interface ChurnMeasures {
  /** Under churn, placements should not be predictable from who is left. */
  readonly mode: 'as-configured' | 'random';
  /** Parity shards beyond m, as far as peers can be found for them. */
  readonly extraParity: number;
}

/**
 * What high churn changes. The document scales replication by 1 + churn / 0.1. m parity shards stand for m + 1 replicas, so
 * ⌈(m + 1) · (1 + churn / 0.1)⌉ − (m + 1) = ⌈(m + 1) · churn / 0.1⌉ more, at most `maxExtraParity`; with the highest
 * rate seen, so that it does not shrink before calm has returned.
 */
export function churnMeasures(state: ChurnState, m: number, settings: ChurnSettings): ChurnMeasures {
  if (!(Number.isInteger(m) && m >= 0)) throw senseless(`m is ${m}; it must be a whole number.`, 'm', m);
  if (state.level === 'normal') return { mode: 'as-configured', extraParity: 0 };
  // A rate of 3 / 10 must not become 3.0000000000000004 tenths.
  const more = Math.ceil(Math.round((m + 1) * state.peak * 1e10) / 1e9);
  return { mode: 'random', extraParity: Math.min(settings.maxExtraParity, more) };
}

function checkChurn({ activePeers, departures }: ChurnObservation, settings: ChurnSettings, now: number) {
  checkTime('now', now);
  if (!(Number.isInteger(activePeers) && activePeers >= 0)) {
    throw senseless(`activePeers is ${activePeers}; it must be a whole number.`, 'activePeers', activePeers);
  }
  for (const { at } of departures) checkTime('departures.at', at);
  checkAtLeast('stabilisationMs', settings.stabilisationMs, 0);
  checkAtLeast('maxExtraParity', settings.maxExtraParity, 0);
  for (const span of ['PerHour', 'PerDay'] as const) {
    const [low, high] = [settings[`low${span}`], settings[`high${span}`]];
    checkAtLeast(`low${span}`, low, 0);
    if (!(high <= 1)) throw senseless(`high${span} is ${high}; it must be at most 1.`, `high${span}`, high);
    checkAtLeast(`high${span}`, high, low);
  }
}
