import type { SnapshotRecord } from '@holdfast/contracts';
import { throwIfAborted } from '@holdfast/contracts';
import type { RunOptions } from '@holdfast/engine';
import type { OpenVault } from '../vault/open.ts';
import { compareRows } from './compare-rows.ts';
import type { DrillReport } from './drill-report.ts';
import type { DrillServer } from './drill-server.ts';
import { RecordedRows } from './recorded-rows.ts';
import { Stopwatch, withRemoval } from './stopwatch.ts';

export interface DrillRun extends RunOptions {
  readonly signal: AbortSignal;
  /** How many of how many tables, families and windows are compared. */
  readonly onTable?: (done: number, total: number) => void;
}

/**
 * Restores into a scratch database, compares every row with what was recorded at backup, and drops it, whatever happens.
 * Differences are in the report; what keeps the drill from coming to an end is thrown.
 */
export async function drillDatabase(
  { engine, rowKey }: Pick<OpenVault, 'engine' | 'rowKey'>,
  snapshot: SnapshotRecord,
  server: DrillServer,
  { onTable = () => {}, ...run }: DrillRun,
): Promise<DrillReport> {
  const { signal } = run;
  const watch = new Stopwatch();
  const scratch = await watch.time('prepare', () => server.scratch());
  const done = await withRemoval(
    async () => {
      throwIfAborted(signal);
      const sink = await server.sink(scratch.name);
      const recorded = new RecordedRows();
      const restore = await watch.time('restore', () =>
        engine.restore({ ...run, snapshot: snapshot.id, sink: recorded.through(sink) }),
      );
      const tables = await watch.time('compare', async () => {
        const readers = await server.readers(scratch.name);
        try {
          return await compareRows(recorded.all(), readers, { rowKey, signal, onTable });
        } finally {
          await Promise.all(readers.map((reader) => reader.end()));
        }
      });
      return { restore, tables, notes: sink.notes };
    },
    () => watch.time('remove', () => scratch.drop()),
  );
  const { steps, seconds } = watch;
  const ok = done.tables.every(({ same }) => same !== false);
  return { snapshot, place: server.place, problems: [], steps, seconds, ok, ...done };
}
