import { type Catalog, HoldfastError, type SnapshotRecord } from '@holdfast/contracts';
import { isSourceKind } from '@holdfast/sources';
import { isDatabaseKind } from '../restore/restore-options.ts';
import { formatCount } from '../units/count.ts';
import type { OpenVault } from '../vault/open.ts';
import { findSnapshot } from '../vault/snapshot-id.ts';
import type { DrillRun } from './database-drill.ts';
import type { DrillReport, TableResult } from './drill-report.ts';
import type { DrillPlace } from './drill-server.ts';

/** Restores one snapshot for a try. USAGE for a place that does not suit it. */
export async function runDrill(
  opened: OpenVault,
  snapshot: SnapshotRecord,
  place: DrillPlace,
  run: DrillRun,
): Promise<DrillReport> {
  const { source, sourceKind } = snapshot;
  if (!isDatabaseKind(sourceKind)) {
    if (!isSourceKind(sourceKind)) throw noDrill(snapshot);
    if (place.on !== undefined) throw noServer(snapshot);
    const { drillFiles } = await import('./file-drill.ts');
    return drillFiles(opened, snapshot, run);
  }
  const { drillServer } = await import('./drill-server.ts');
  const { drillDatabase } = await import('./database-drill.ts');
  const { sources } = opened.config;
  const configured = Object.hasOwn(sources, source) ? sources[source] : undefined;
  const server = await drillServer(sourceKind, source, configured, place, opened.directory);
  return drillDatabase(opened, snapshot, server, run);
}

const DATABASES = ['sqlite', 'postgres', 'mysql'];

/**
 * The one that was named, the newest of the source, or the newest of each database. NOT_FOUND, USAGE.
 * @param kind of the server that was named: only its databases
 */
export async function snapshotsToDrill(
  catalog: Catalog,
  wanted: string | undefined,
  source: string | undefined,
  kind?: 'postgres' | 'mysql',
): Promise<SnapshotRecord[]> {
  if (wanted !== undefined || source !== undefined)
    return [await findSnapshot(catalog, wanted ?? 'latest', source)];
  const newest = new Map<string, SnapshotRecord>();
  for (const snapshot of await catalog.snapshots()) newest.set(snapshot.source, snapshot);
  const kinds = kind === undefined ? DATABASES : [kind];
  const databases = [...newest.values()].filter(({ sourceKind }) => kinds.includes(sourceKind));
  if (databases.length > 0) return databases;
  throw new HoldfastError(
    'NOT_FOUND',
    `There is no snapshot of a ${kind ?? 'database'}${kind ? ' database' : ''} yet.`,
    {
      hint: 'Name a source (--source NAME) to try one of files, or make one with: holdfast backup',
    },
  );
}

/** Null when all is as it was. */
export function drillFailure({ snapshot, tables, problems, ok }: DrillReport): HoldfastError | null {
  if (ok) return null;
  const wrong = tables.filter(({ same }) => same === false);
  const what =
    problems.length > 0
      ? `SQLite finds it damaged: ${problems[0]}`
      : `${formatCount(wrong.length, 'part')} of its tables came back different: ${wrong.slice(0, 5).map(difference).join('; ')}${wrong.length > 5 ? '; …' : ''}`;
  return new HoldfastError(
    'VERIFY_FAILED',
    `The restored copy of "${snapshot.source}" is not what was backed up. ${what}.`,
    {
      hint: 'Keep the original data and earlier snapshots. Drill an earlier snapshot; if that is right, back up anew. Report it: it should not happen.',
      details: {
        source: snapshot.source,
        snapshot: snapshot.id,
        problems,
        differences: wrong.map(({ rows, found, ...table }) => ({ ...table, expected: rows, found })),
      },
    },
  );
}

/** `public.messages, 2026-11: 30 rows expected, 29 found`. */
function difference(table: TableResult): string {
  const { rows, found } = table;
  const counts =
    rows === found
      ? `${formatCount(rows, 'row')}, but not the same ones`
      : `${formatCount(rows, 'row')} expected, ${formatCount(found)} found`;
  return `${tableName(table)}: ${counts}`;
}

/** `public.users, family pii, window 2026-11`. */
export const tableName = ({ schema, table, family, window }: TableResult): string =>
  [`${schema}.${table}`, family === null ? '' : `family ${family}`, window === null ? '' : `window ${window}`]
    .filter(Boolean)
    .join(', ');

const noDrill = ({ source, sourceKind }: SnapshotRecord): HoldfastError =>
  new HoldfastError(
    'USAGE',
    `There are no drills for snapshots of kind ${sourceKind}, such as those of "${source}".`,
    {
      hint: 'Restore one by hand (holdfast restore --help), or drill another source.',
    },
  );

const noServer = ({ source, sourceKind }: SnapshotRecord): HoldfastError =>
  new HoldfastError('USAGE', `--on names a database server; "${source}" is a source of kind ${sourceKind}.`, {
    hint: 'Leave it out: it is restored into a directory below TMPDIR.',
  });
