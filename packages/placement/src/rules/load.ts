import type { Candidate } from '../candidate.ts';
import type { PlacementRules } from '../placement-rules.ts';
import { type Ladder, percent } from './ladder.ts';

/** Soft: a peer keeps some room after it took the shard, so that it can take part in repairs and does not fill up. */
export interface LoadLimit {
  readonly maxLoad: number;
  readonly headroomShards: number;
}

/** From the limit asked for, up in steps of 10 % of capacity, to "the shard fits". */
export function loadLadder(rules: PlacementRules): Ladder<LoadLimit> {
  const { maxLoad, headroomShards } = rules;
  const steps: LoadLimit[] = [{ maxLoad, headroomShards }];
  for (let percentage = Math.floor(maxLoad * 10 + 1) * 10; percentage < 100; percentage += 10) {
    steps.push({ maxLoad: percentage / 100, headroomShards });
  }
  if (maxLoad < 1 || headroomShards > 1) steps.push({ maxLoad: 1, headroomShards: 1 });
  return { steps, reason: (limit) => loadReason(limit, rules) };
}

export function isWithinLoad(
  { capacityBytes, freeBytes }: Pick<Candidate, 'capacityBytes' | 'freeBytes'>,
  limit: LoadLimit,
  shardBytes: number,
): boolean {
  return (
    freeBytes >= limit.headroomShards * shardBytes &&
    capacityBytes - freeBytes + shardBytes <= limit.maxLoad * capacityBytes
  );
}

const loadReason = (limit: LoadLimit, rules: PlacementRules): string =>
  limit.headroomShards < rules.headroomShards
    ? 'too few peers have room to spare; every peer that the shard fits on was considered'
    : `too few peers stay within ${percent(rules.maxLoad)} of their capacity; up to ${percent(limit.maxLoad)} was allowed`;
