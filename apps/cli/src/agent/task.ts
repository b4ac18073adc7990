import type { HoldfastError } from '@holdfast/contracts';
import type { HooksConfig } from '../config/hook-schema.ts';
import type { ScheduleConfig } from '../config/schedule-schema.ts';
import type { Log } from './log.ts';

/**
 * Work that the agent does again and again. Backups are tasks; whatever else recurs becomes one by being listed
 * in `tasks.ts`. Failures are thrown as HoldfastErrors.
 */
export interface Task {
  /** Stable across restarts and unique, such as `backup:app`: what is remembered is remembered under it. */
  readonly name: string;
  /** Tasks of one lane run one after the other; different lanes at the same time. */
  readonly lane: string;
  readonly schedule: ScheduleConfig;
  readonly hooks: HooksConfig;
  /** The configured source that it is about, if any. */
  readonly source: string | null;
  /** Takes what a run needs, such as the vault. BUSY is waited for: nothing counts as begun before. */
  prepare(signal: AbortSignal): Promise<PreparedRun>;
}

export interface PreparedRun extends AsyncDisposable {
  /** @param signal fires when the run took too long, or the agent stops */
  run(signal: AbortSignal, log: Log): Promise<TaskReport>;
}

export interface TaskReport {
  /** In a few words, for the log. */
  readonly summary: string;
  /** Id of the snapshot that was made, if any. */
  readonly snapshot: string | null;
  /** For hooks and the log. Never secrets. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** What was done is not all that should have been. Counts as a failure. */
  readonly shortfall: HoldfastError | null;
}

/** A task that needs nothing prepared. */
export function plainTask(
  task: Omit<Task, 'prepare'> & {
    run(signal: AbortSignal, log: Log): Promise<Pick<TaskReport, 'summary'> & Partial<TaskReport>>;
  },
): Task {
  const { run, ...rest } = task;
  const prepared: PreparedRun = {
    run: async (signal, log) => ({ snapshot: null, facts: {}, shortfall: null, ...(await run(signal, log)) }),
    [Symbol.asyncDispose]: async () => {},
  };
  return { ...rest, prepare: async () => prepared };
}
