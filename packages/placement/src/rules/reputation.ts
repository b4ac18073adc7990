import type { Candidate } from '../candidate.ts';
import type { PlacementRules } from '../placement-rules.ts';
import type { Ladder } from './ladder.ts';

const STEP = 0.05;

/** More than `above`, or, as the last resort, the floor itself. */
export interface ReputationLimit {
  readonly above: number;
  readonly orEqual: boolean;
}

/** Soft down to the floor, which is hard. Peers whose reputation is not known yet are not held to it. */
export function reputationLadder({
  minReputation,
  reputationFloor,
}: PlacementRules): Ladder<ReputationLimit> {
  const between = Math.ceil((minReputation - reputationFloor) / STEP - 1e-9);
  const strict = Array.from({ length: Math.max(1, between) }, (_, i) => {
    return { above: Number((minReputation - i * STEP).toFixed(6)), orEqual: false };
  });
  return {
    steps: [...strict, { above: reputationFloor, orEqual: true }],
    reason: ({ above, orEqual }) =>
      `too few peers have a reputation above ${minReputation}; ${orEqual ? 'from' : 'above'} ${above} was allowed`,
  };
}

export function isTrusted({ reputation }: Candidate, { above, orEqual }: ReputationLimit): boolean {
  return reputation === undefined || reputation > above || (orEqual && reputation === above);
}

/** Hard. */
export const isAboveFloor = ({ reputation }: Candidate, rules: PlacementRules): boolean =>
  reputation === undefined || reputation >= rules.reputationFloor;
