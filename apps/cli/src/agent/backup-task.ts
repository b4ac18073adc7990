import { HoldfastError, type Source } from '@holdfast/contracts';
import type { BackupReport } from '@holdfast/engine';
import type { Config, SourceConfig } from '../config/schema.ts';
import { backupJson } from '../output/backup-view.ts';
import { RunEvents } from '../output/run-events.ts';
import type { SharedVault } from '../protect/shared-vault.ts';
import { formatBytes } from '../units/bytes.ts';
import { formatDuration } from '../units/duration.ts';
import type { OpenVault } from '../vault/open.ts';
import { shortId } from '../vault/snapshot-id.ts';
import { makeSource } from '../vault/sources.ts';
import type { Log } from './log.ts';
import type { Task, TaskReport } from './task.ts';

export interface AgentContext {
  readonly vault: string;
  readonly config: Config;
  /** Asked for once, when the agent began: for tasks that open the vault to read it. */
  readonly passphrase: string | null;
  /** Shared with continuous protection in this process; null where no task will be run. */
  readonly shared: SharedVault | null;
}

/** All that writes to the vault waits for one another anyway; in one lane it does so in fair order. */
export const VAULT_LANE = 'vault';

export const backupTaskName = (source: string): string => `backup:${source}`;

/** Null for a source without a schedule. */
export function backupTask(name: string, source: SourceConfig, context: AgentContext): Task | null {
  if (source.kind === 'stdin' || !source.schedule) return null;
  const { vault, shared } = context;
  return {
    name: backupTaskName(name),
    lane: VAULT_LANE,
    schedule: source.schedule,
    hooks: source.hooks ?? {},
    source: name,
    async prepare(stopping) {
      if (shared === null) throw new HoldfastError('INTERNAL', 'There is no vault to run a task with.');
      const lease = await shared.lease(stopping);
      const { opened } = lease;
      return {
        run: async (signal, log) => backUp(opened, name, await makeSource(source, vault), signal, log),
        [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
      };
    },
  };
}

/** One snapshot, or an error: a source that fails midway leaves none. */
export async function backUp(
  opened: Pick<OpenVault, 'engine' | 'peerNames'>,
  name: string,
  source: Source,
  signal: AbortSignal,
  log: Log,
): Promise<TaskReport> {
  const events = new RunEvents(
    {
      note: (message) => log({ event: 'backup-note', message }),
      warn: (message) => log({ event: 'backup-warning', level: 'warning', message }),
    },
    await opened.peerNames(),
  );
  const report = await opened.engine.backup({
    name,
    source,
    tags: [],
    reread: false,
    signal,
    onEvent: events.tell,
  });
  events.summarise();
  return {
    summary: summaryOf(report),
    snapshot: report.snapshot.id,
    facts: backupJson(name, report, undefined),
    shortfall: shortfallOf(name, report),
  };
}

function summaryOf({ snapshot, seconds }: BackupReport): string {
  const { bytes, newBytes } = snapshot.totals;
  const size = `${formatBytes(bytes)}, ${formatBytes(newBytes)} of them new`;
  return `snapshot ${shortId(snapshot.id)}: ${size}, in ${formatDuration(seconds * 1000)}`;
}

function shortfallOf(name: string, { snapshot, problems }: BackupReport): HoldfastError | null {
  if (snapshot.complete) return null;
  const [first] = problems;
  return new HoldfastError(
    'INCOMPLETE',
    `Parts of ${name} could not be read; the snapshot lacks them.${first ? ` First: ${first.message}` : ''}`,
    {
      hint: 'Make them readable, or exclude them. The snapshot holds everything else.',
      details: { source: name, snapshot: snapshot.id, problems: problems.length },
    },
  );
}
