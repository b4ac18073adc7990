import { type CheckRequest, type CheckResult, fail, pass, unmeasured } from './check.ts';
import { beside, short } from './figures.ts';

/** Soft, strictly more than the limit: exactly 0.7 is too little. */
export function checkReputation({ observation, rules }: CheckRequest): CheckResult {
  const { reputation } = observation;
  if (reputation === undefined) return unmeasured('reputation', 'soft', 'its reputation');
  const figures = `its reputation is ${beside(rules.minReputation, reputation, short)}; more than ${rules.minReputation} is wanted`;
  return reputation > rules.minReputation
    ? pass('reputation', 'soft', figures)
    : fail('reputation', 'soft', figures);
}

/** Hard: below this none is chosen, however short of peers the swarm is. */
export function checkReputationFloor({ observation, rules }: CheckRequest): CheckResult {
  const { reputation } = observation;
  if (reputation === undefined) return unmeasured('reputation-floor', 'hard', 'its reputation');
  const figures = `its reputation is ${beside(rules.reputationFloor, reputation, short)}; below ${rules.reputationFloor} none is chosen`;
  return reputation >= rules.reputationFloor
    ? pass('reputation-floor', 'hard', figures)
    : fail('reputation-floor', 'hard', figures);
}
