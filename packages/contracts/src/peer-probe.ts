import type { PeerId } from './ids.ts';

/** One question to a peer, and what became of it. */
export interface PeerProbe {
  readonly peer: PeerId;
  /** Wall clock, ms. */
  readonly at: number;
  /** Milliseconds until the answer was here; null: none came. */
  readonly roundTripMs: number | null;
}

/** A peer's probes of one hour, or of all hours before `PROBE_HOURS_KEPT` in one. */
export interface ProbeWindow {
  readonly peer: PeerId;
  /** When the hour began: wall clock, ms, a multiple of `PROBE_HOUR_MS`. 0: everything older. */
  readonly since: number;
  readonly asked: number;
  readonly answered: number;
  /** Sum and least of the round trips, ms; both 0 while nothing was answered. */
  readonly tripSumMs: number;
  readonly tripMinMs: number;
}

export const PROBE_HOUR_MS = 3_600_000;

/** Older windows are merged into one, so that a peer has at most so many and one. 30 days. */
export const PROBE_HOURS_KEPT = 720;
