import type { PeerId } from '@holdfast/contracts';
import type { PlacementRules } from './placement-rules.ts';

/** A peer that has, may have, or has had a shard of some partition. */
export interface Holding {
  readonly index: number;
  readonly peer: PeerId;
  /** Wall clock, ms: since when it is known to have the shard no longer. Absent: it has it, or nobody knows otherwise. */
  readonly until?: number | undefined;
}

const HOUR_MS = 3_600_000;

/** How long a former holder still counts: T windows. */
export const separationMs = (rules: Pick<PlacementRules, 'separationWindows' | 'windowHours'>): number =>
  rules.separationWindows * rules.windowHours * HOUR_MS;

/** Temporal separation: whoever has a shard counts, and whoever had one less than T windows ago. */
export const stillCounts = (
  holding: Holding,
  rules: Pick<PlacementRules, 'separationWindows' | 'windowHours'>,
  now: number,
): boolean => holding.until === undefined || now - holding.until < separationMs(rules);
