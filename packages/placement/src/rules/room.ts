import type { Candidate } from '../candidate.ts';
import type { PlacementRules } from '../placement-rules.ts';

/** Hard, by nature: the shard fits. */
export const hasRoom = (candidate: Candidate, rules: PlacementRules): boolean =>
  candidate.freeBytes >= rules.shardBytes;
