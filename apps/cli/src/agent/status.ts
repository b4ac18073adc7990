import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { protectedSources } from '../protect/configured.ts';
import { type ProtectionStatus, protectionStatus } from '../protect/protection-status.ts';
import { openCatalogOf } from '../vault/open-catalog.ts';
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
  readonly protection: readonly ProtectionStatus[];
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

/** From the agent's file, the configuration and what protection wrote down. */
export async function agentStatus(vault: string, now: number): Promise<AgentStatus> {
  const config = await loadConfig(vault);
  const { state, damage } = await readState(vault);
  const running = runningAgent(vault);
  const tasks = tasksOf({ vault, config, passphrase: null, shared: null }).map((task): TaskStatus => {
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
  return { running, tasks, protection: await protectionOf(vault, config, now), damage };
}

/** Opens the catalog only for those who have such a source. */
async function protectionOf(vault: string, config: Config, now: number): Promise<ProtectionStatus[]> {
  if (protectedSources(config).length === 0) return [];
  await using opened = await openCatalogOf(vault);
  return protectionStatus(vault, config, await opened.catalog.snapshots(), now);
}
