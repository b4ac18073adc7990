import type { PartitionId } from '@holdfast/contracts';
import type { Holding } from '../holding.ts';
import type { PlacementRules } from '../placement-rules.ts';
import { checkRecord } from './check-record.ts';
import { collusion } from './collusion.ts';
import { completeness } from './completeness.ts';
import type { PeerFacts, PlacedHolder, Violation } from './recorded-placement.ts';
import { separation } from './separation.ts';

/**
 * Checks who has and had what against the hard rules that hold at any time: today's facts do. `auditPlacement` checks all,
 * also what depends on the moment of placement (room, reputation, certificates, soft rules). Shares no code with the
 * assigner, so that a fault there cannot hide itself.
 * @param request.now wall clock, ms; without it, whoever ever had a shard counts
 * @param request.siblings looked at where the rules separate siblings
 */
export function verifyPlacement(request: {
  readonly partition: PartitionId;
  readonly placed: readonly PlacedHolder[];
  readonly facts: PeerFacts;
  readonly rules: PlacementRules;
  readonly siblings?: readonly Holding[] | undefined;
  readonly now?: number | undefined;
}): Violation[] {
  const { placed, facts, rules, siblings = [], now } = request;
  checkRecord(request);
  return [
    ...completeness(placed, rules),
    ...separation(placed, siblings, rules, now),
    ...collusion(placed, facts, rules, now),
  ];
}
