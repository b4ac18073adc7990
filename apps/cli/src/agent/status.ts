import { loadConfig } from '../config/load.ts';
import type { Turn } from './decide.ts';
import { describe } from './forecast.ts';
import { runningAgent } from './only-one.ts';
import { overdueAt } from './overdue.ts';
import { timetableOf } from './plan.ts';
import type { Failure, Success } from './record.ts';
import { readState } from './state-file.ts';
import { tasksOf } from './tasks.ts';

export interface AgentStatus {
  /** Null when no agent runs. */
  readonly running: { readonly pid: number | null } | null;
  readonly tasks: readonly TaskStatus[];
  /** Why the state file cannot be read; null when it can, or there is none. */
  readonly damage: string | null;
}

export interface TaskStatus {
  readonly task: string;
  readonly source: string | null;
  readonly schedule: string;
  /** Is being run right now, waiting for the vault included. */
  readonly underWay: Turn | null;
  readonly lastStart: number | null;
  readonly lastSuccess: Success | null;
  readonly lastFailure: Failure | null;
  readonly failures: number;
  /** Null while no agent runs. */
  readonly next: number | null;
  readonly overdue: boolean;
}

/** From the agent's file and the configuration alone. */
export async function agentStatus(vault: string, now: number): Promise<AgentStatus> {
  const config = await loadConfig(vault);
  const { state, damage } = await readState(vault);
  const running = runningAgent(vault);
  const tasks = tasksOf({ vault, config, passphrase: null }).map((task): TaskStatus => {
    const saved = state?.tasks[task.name];
    const record = saved?.record;
    const since = record?.lastSuccess?.startedAt ?? record?.since;
    const limit = since === undefined ? null : overdueAt(timetableOf(task.schedule), since);
    return {
      task: task.name,
      source: task.source,
      schedule: describe(task),
      underWay: running ? (saved?.running ?? null) : null,
      lastStart: record?.lastStart ?? null,
      lastSuccess: record?.lastSuccess ?? null,
      lastFailure: record?.lastFailure ?? null,
      failures: record?.failures ?? 0,
      next: running ? (saved?.next ?? null) : null,
      overdue: limit !== null && now > limit,
    };
  });
  return { running, tasks, damage };
}
