import { HoldfastError, type SnapshotId } from '@holdfast/contracts';
import { KeyedHash } from '../assign/keyed-hash.ts';

/** A new policy that only some of the new snapshots are made under, until people trust it. */
export interface Rollout<Policy> {
  readonly current: Policy;
  readonly previous: Policy;
  /** Of new snapshots, how many in a hundred use the current policy. */
  readonly percent: number;
}

/**
 * Which of the two a snapshot is placed under. The same at every call, also in a run that resumes; whoever had the new policy
 * at one percentage has it at every higher one.
 */
export function chosenPolicy<Policy>(
  { current, previous, percent }: Rollout<Policy>,
  snapshot: SnapshotId,
  salt: Uint8Array,
): Policy {
  if (!(percent >= 0 && percent <= 100)) {
    throw new HoldfastError('USAGE', `Rollout percent is ${percent}; it must be from 0 to 100.`);
  }
  return KeyedHash.fromSalt(salt, 'rollout ').uniform(snapshot) * 100 < percent ? current : previous;
}
