import { createHash } from 'node:crypto';
import { HoldfastError } from '@holdfast/contracts';

const MAX_NAME = 64;
const PARTIAL = '_holdfast_partial';
const OLD = '_holdfast_old';
const TAKEN = /_holdfast_(partial|old)$/;

/** The databases that one restore deals with. */
export interface TargetNames {
  readonly target: string;
  /** Where it is put together, and its journal. A crash leaves it; the next restore to the same target removes it. */
  readonly scratch: string;
  /** Where what is replaced goes, until that is dropped. */
  readonly old: string;
}

/** USAGE for names that cannot be. */
export function targetNames(target: string): TargetNames {
  if (target === '' || target.length > MAX_NAME || TAKEN.test(target))
    throw new HoldfastError('USAGE', `${JSON.stringify(target)} cannot be the name of a restored database`, {
      hint: 'Choose one of at most 64 characters that does not end as the names of unfinished restores do.',
    });
  return { target, scratch: withSuffix(target, PARTIAL), old: withSuffix(target, OLD) };
}

function withSuffix(name: string, suffix: string): string {
  if (name.length + suffix.length <= MAX_NAME) return name + suffix;
  const mark = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, MAX_NAME - suffix.length - mark.length - 1)}_${mark}${suffix}`;
}

/** In the scratch database, beside the tables: no table of a user's is called so. */
export const JOURNAL = 'holdfast_restore_journal';
export const stageName = (number: number): string => `holdfast_restore_stage_${number}`;
