import { type CheckRequest, type CheckResult, fail, pass } from './check.ts';

/** Hard: who has left the swarm gets nothing. */
export const checkMembership = ({ observation }: CheckRequest): CheckResult =>
  observation.record.state === 'active'
    ? pass('membership', 'hard', 'is a member')
    : fail('membership', 'hard', 'has left the swarm');
