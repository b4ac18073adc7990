import type { PartitionId } from '@holdfast/contracts';

export type PlanRule =
  /** The plan itself makes no sense: unknown ids, circles, steps that wait for another partition's. */
  | 'malformed'
  | 'one-shard-per-peer'
  | 'siblings'
  | 'operator-limit'
  | 'failure-domain-limit'
  | 'candidate'
  | 'room'
  /** A shard that could be had at the start could not be had any more. */
  | 'margin'
  /** A holder goes before its replacement is verified. */
  | 'released-unverified'
  /** Something is read or verified where it cannot be. */
  | 'source';

export interface PlanViolation {
  readonly rule: PlanRule;
  readonly partition: PartitionId | null;
  /** The step after which, or with which, it happens. */
  readonly step: number | null;
  /** What is wrong and by how much, for people. */
  readonly message: string;
  readonly measured?: number;
  readonly limit?: number;
}

/** So many ways through the steps of one shard are followed: any number that planners come to, and no more. */
export const MAX_STEPS_PER_SHARD = 16;
