import { HoldfastError } from '@holdfast/contracts';
import { parseJobs } from '../restore/restore-options.ts';
import type { DrillPlace } from './drill-server.ts';

/** As `verify --restore-drill` was told. */
export interface DrillOptions {
  readonly source?: string;
  readonly on?: string;
  readonly jobs?: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  /** False with --no-owner; otherwise true. */
  readonly owner?: boolean;
}

const FOR_DRILLS = [
  ['on', '--on'],
  ['jobs', '--jobs'],
  ['passwordFile', '--password-file'],
  ['passwordEnv', '--password-env'],
] as const;

/** USAGE for options of one way to verify given to the other. */
export function checkDrillOptions(
  options: DrillOptions & { readonly restoreDrill?: boolean; readonly sample?: string },
): void {
  if (options.restoreDrill) {
    if (options.sample === undefined) return;
    throw new HoldfastError('USAGE', '--sample is for checking shards; a drill restores all of a snapshot.');
  }
  const [, flag] =
    FOR_DRILLS.find(([name]) => options[name] !== undefined) ??
    (options.owner === false ? [null, '--no-owner'] : []);
  if (flag === undefined) return;
  throw new HoldfastError('USAGE', `${flag} is for restore drills.`, {
    hint: 'Add --restore-drill, or leave it out.',
  });
}

/** USAGE. */
export function drillPlace({ on, jobs, passwordFile, passwordEnv, owner }: DrillOptions): DrillPlace {
  const connections = parseJobs(jobs);
  return {
    ...(on === undefined ? {} : { on }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(passwordEnv === undefined ? {} : { passwordEnv }),
    ...(connections === undefined ? {} : { jobs: connections }),
    owner: owner === false ? 'none' : 'keep',
  };
}
