import type { Candidate } from '../candidate.ts';
import type { PlacementRules } from '../placement-rules.ts';

/** Soft: a peer keeps some room after it took the shard, so that it can take part in repairs and does not fill up. */
export interface LoadLimit {
  readonly maxLoad: number;
  readonly headroomShards: number;
}

/** From the limit asked for, up in steps of 10 % of capacity, to "the shard fits". */
export function loadSteps(rules: PlacementRules): LoadLimit[] {
  const { maxLoad, headroomShards } = rules;
  const steps: LoadLimit[] = [{ maxLoad, headroomShards }];
  for (let percent = Math.floor(maxLoad * 10 + 1) * 10; percent < 100; percent += 10) {
    steps.push({ maxLoad: percent / 100, headroomShards });
  }
  if (maxLoad < 1 || headroomShards > 1) steps.push({ maxLoad: 1, headroomShards: 1 });
  return steps;
}

export function isWithinLoad(candidate: Candidate, limit: LoadLimit, shardBytes: number): boolean {
  const used = candidate.capacityBytes - candidate.freeBytes;
  return (
    candidate.freeBytes >= limit.headroomShards * shardBytes &&
    used + shardBytes <= limit.maxLoad * candidate.capacityBytes
  );
}

export const loadReason = (limit: LoadLimit, rules: PlacementRules): string =>
  limit.headroomShards < rules.headroomShards
    ? 'too few peers have room to spare; every peer that the shard fits on was considered'
    : `too few peers stay within ${percent(rules.maxLoad)} of their capacity; up to ${percent(limit.maxLoad)} was allowed`;

const percent = (share: number): string => `${Math.round(share * 100)} %`;
