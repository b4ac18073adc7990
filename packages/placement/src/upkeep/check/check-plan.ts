import { checkState, type UpkeepState } from '../state.ts';
import type { Step } from '../steps.ts';
import { checkAdversaries } from './adversaries.ts';
import { checkCustody } from './custody.ts';
import { readPlan } from './plan-order.ts';
import { checkReceivers } from './receivers.ts';
import type { PlanViolation } from './violation.ts';

/**
 * Whether a plan is safe in every order that it allows, and wherever it stops: that nobody ever has more shards of a partition
 * than the hard rules allow, former holders included, and no shard that can be had at the start cannot be had later.
 * Shares no code with what makes plans or chooses peers. Empty: safe. Run it before the first step, on the state at hand.
 * USAGE for a senseless state; a senseless plan is a violation.
 */
export function checkPlan(state: UpkeepState, steps: readonly Step[]): PlanViolation[] {
  checkState(state);
  const { parts, malformed } = readPlan(state.partitions, steps);
  if (malformed.length > 0) return [...malformed];
  const away = new Set(state.outages.map(({ peer }) => peer));
  return [
    ...parts.flatMap((part) => checkCustody(part, away)),
    ...checkAdversaries(state, steps),
    ...checkReceivers(state, steps),
  ];
}
