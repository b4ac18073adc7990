import type { DrillConfig } from '../config/drill-schema.ts';
import { configuredPath } from '../config/load.ts';
import type { SourceConfig } from '../config/schema.ts';
import type { DrillReport } from '../drill/drill-report.ts';
import type { DrillPlace } from '../drill/drill-server.ts';
import { drillFailure, runDrill } from '../drill/run-drill.ts';
import { drillJson } from '../output/drill-view.ts';
import { RunEvents } from '../output/run-events.ts';
import { formatBytes } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';
import { formatDuration } from '../units/duration.ts';
import { type OpenVault, openVault } from '../vault/open.ts';
import { findSnapshot, shortId } from '../vault/snapshot-id.ts';
import type { AgentContext } from './backup-task.ts';
import { drillTaskName } from './drill-task-name.ts';
import type { Log } from './log.ts';
import type { Task, TaskReport } from './task.ts';

/** Drills only read the vault, and may take long: they wait for one another, and backups do not wait for them. */
const DRILL_LANE = 'drill';

/** Null for a source without drills. */
export function drillTask(name: string, source: SourceConfig, context: AgentContext): Task | null {
  if (source.kind === 'stdin' || !source.drill) return null;
  const { vault, config, passphrase } = context;
  const { drill } = source;
  return {
    name: drillTaskName(name),
    lane: DRILL_LANE,
    schedule: drill,
    hooks: drill.hooks ?? {},
    source: name,
    async prepare() {
      const opened = await openVault(vault, { config, passphrase });
      return {
        run: (signal, log) => drillNewest(opened, name, drillPlaceOf(drill, vault), signal, log),
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      };
    },
  };
}

/** As the configuration says, paths absolute. */
function drillPlaceOf(drill: DrillConfig, vault: string): DrillPlace {
  if (!('owner' in drill)) return {};
  const { on, passwordFile, passwordEnv, owner, jobs } = drill;
  return {
    owner,
    ...(on === undefined ? {} : { on }),
    ...(passwordFile === undefined ? {} : { passwordFile: configuredPath(passwordFile, vault) }),
    ...(passwordEnv === undefined ? {} : { passwordEnv }),
    ...(jobs === undefined ? {} : { jobs }),
  };
}

async function drillNewest(
  opened: OpenVault,
  name: string,
  place: DrillPlace,
  signal: AbortSignal,
  log: Log,
): Promise<TaskReport> {
  const snapshot = await findSnapshot(opened.catalog, 'latest', name);
  const names = await opened.peerNames();
  const events = new RunEvents(
    {
      note: (message) => log({ event: 'drill-note', message }),
      warn: (message) => log({ event: 'drill-warning', level: 'warning', message }),
    },
    names,
  );
  const report = await runDrill(opened, snapshot, place, { signal, onEvent: events.tell });
  events.summarise();
  return {
    summary: summaryOf(report),
    snapshot: snapshot.id,
    facts: drillJson(report, names),
    shortfall: drillFailure(report),
  };
}

function summaryOf({ snapshot, tables, restore, seconds }: DrillReport): string {
  const compared = tables.filter(({ same }) => same !== null).length;
  const what =
    compared === 0 ? formatBytes(restore.bytes) : `${formatCount(compared, 'part')} of tables, all the same`;
  return `snapshot ${shortId(snapshot.id)} restores: ${what}, in ${formatDuration(seconds * 1000)}`;
}
