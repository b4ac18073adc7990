import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HoldfastError, type SnapshotRecord, throwIfAborted } from '@holdfast/contracts';
import { sinkFor } from '@holdfast/sources';
import type { OpenVault } from '../vault/open.ts';
import type { DrillRun } from './database-drill.ts';
import type { DrillReport, TableResult } from './drill-report.ts';
import { scratchDirectory } from './scratch-directory.ts';
import type { SqliteFindings } from './sqlite-check.ts';
import { Stopwatch, withRemoval } from './stopwatch.ts';

const CHECK = fileURLToPath(new URL('./sqlite-check.ts', import.meta.url));
const MOST_OUTPUT = 256 * 1024 * 1024;
const NOTHING: Findings = { problems: [], tables: [] };

type Findings = Pick<DrillReport, 'problems' | 'tables'>;

/**
 * Restores into a directory that is removed afterwards, whatever happens. Every byte is checked against the manifest on the way, as in
 * every restore; a SQLite database is then checked by SQLite.
 */
export async function drillFiles(
  { engine }: Pick<OpenVault, 'engine'>,
  snapshot: SnapshotRecord,
  { onTable: _, ...run }: DrillRun,
): Promise<DrillReport> {
  const watch = new Stopwatch();
  const directory = await watch.time('prepare', scratchDirectory);
  const done = await withRemoval(
    async () => {
      throwIfAborted(run.signal);
      const path = join(directory.path, 'restored');
      const sink = sinkFor(snapshot.sourceKind, { path, overwrite: false });
      const restore = await watch.time('restore', () =>
        engine.restore({ ...run, snapshot: snapshot.id, sink }),
      );
      if (snapshot.sourceKind !== 'sqlite') return { restore, ...NOTHING };
      return { restore, ...(await watch.time('compare', () => checkSqlite(path, run.signal))) };
    },
    () => watch.time('remove', () => directory.remove()),
  );
  const { steps, seconds } = watch;
  const ok = done.problems.length === 0;
  return { snapshot, place: directory.path, steps, seconds, notes: [], ok, ...done };
}

async function checkSqlite(path: string, signal: AbortSignal): Promise<Findings> {
  try {
    const options = { signal, maxBuffer: MOST_OUTPUT, killSignal: 'SIGKILL' } as const;
    const { stdout } = await promisify(execFile)(process.execPath, [CHECK, path], options);
    const { problems, tables } = JSON.parse(stdout) as SqliteFindings;
    return { problems, tables: tables.map(counted) };
  } catch (error) {
    throwIfAborted(signal);
    throw HoldfastError.from(error, 'INTERNAL', 'The program that checks a restored SQLite database failed');
  }
}

/** Nothing is recorded of its tables at backup. */
const counted = ({ name, rows }: SqliteFindings['tables'][number]): TableResult => ({
  ...{ schema: 'main', table: name, family: null, window: null },
  ...{ rows, found: rows, same: null },
});
