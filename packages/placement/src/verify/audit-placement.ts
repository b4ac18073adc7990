import { fitness } from './fitness.ts';
import type { RecordedPlacement, Unchecked, Violation } from './recorded-placement.ts';
import { unchecked } from './unchecked.ts';
import { verifyPlacement } from './verify-placement.ts';
import { type SpreadShortfall, verifySpread } from './verify-spread.ts';

export interface PlacementVerdict {
  /** Empty: the placement keeps the rules, as far as what is recorded tells. */
  readonly violations: readonly Violation[];
  /** Soft rules that it does not keep, as was recorded with it: known, and no violation. */
  readonly relaxed: readonly SpreadShortfall[];
  /** What could not be checked. */
  readonly unchecked: readonly Unchecked[];
}

/**
 * Judges a placement from what was recorded with it, and from nothing else: every rule, hard and soft. A soft rule may be
 * broken only if that was recorded: weakening it in silence is a violation too. USAGE for a record that cannot be judged.
 */
export function auditPlacement(record: RecordedPlacement): PlacementVerdict {
  const hard = [...verifyPlacement(record), ...fitness(record)];
  const shortfalls = verifySpread(record);
  const recorded = new Set(record.relaxations.map(({ rule }) => rule));
  return {
    violations: [...hard, ...shortfalls.filter(({ rule }) => !recorded.has(rule)).map(unrecorded)],
    relaxed: shortfalls.filter(({ rule }) => recorded.has(rule)),
    unchecked: unchecked(record),
  };
}

const unrecorded = ({ rule, measured, limit, message }: SpreadShortfall): Violation => ({
  rule: 'unrecorded-relaxation',
  severity: 'soft',
  measured,
  limit,
  message: `The ${rule} rule was relaxed without a record of it: ${message}`,
  softRule: rule,
});
