import type { RowsDescription } from '@holdfast/formats/rows';
import type { TableResult } from './drill-report.ts';
import type { RecordedObject } from './recorded-rows.ts';

/** What a database says of some rows. */
export interface RowsFound {
  readonly rows: number;
  /** As an index of these rows has it. */
  readonly checksum: Uint8Array;
}

/** One connection that reads tables back. */
export interface SumReader {
  of(rows: RowsDescription, rowKey: Uint8Array, signal?: AbortSignal): Promise<RowsFound>;
}

export interface Comparison {
  readonly rowKey: Uint8Array;
  readonly signal: AbortSignal;
  readonly onTable: (done: number, total: number) => void;
}

/** Counts and checksums in the database beside those recorded, over all readers at once; in the snapshot's order. */
export async function compareRows(
  recorded: readonly RecordedObject[],
  readers: readonly SumReader[],
  { rowKey, signal, onTable }: Comparison,
): Promise<TableResult[]> {
  const windowed = windowedTables(recorded);
  const wanted = [...recorded.map(({ rows }) => rows), ...windowed.map(wholeTable)];
  const found = await readAll(wanted, readers, { rowKey, signal, onTable });
  const results = recorded.map((object, at) => compared(object, found[at]!));
  const totals = found.slice(recorded.length);
  return [...results, ...windowed.flatMap((rows, at) => strays(rows, totals[at]!.rows, results))];
}

/** All have ended when this does, so that nothing is removed under their hands; the first failure ends the others. */
async function readAll(
  wanted: readonly RowsDescription[],
  readers: readonly SumReader[],
  { rowKey, signal, onTable }: Comparison,
): Promise<RowsFound[]> {
  const found: RowsFound[] = [];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let [next, done] = [0, 0];
  const work = async (reader: SumReader): Promise<void> => {
    while (next < wanted.length && !either.aborted) {
      const at = next++;
      found[at] = await reader.of(wanted[at]!, rowKey, either);
      onTable(++done, wanted.length);
    }
  };
  await Promise.all(readers.map((reader) => work(reader).catch((error: unknown) => stop.abort(error))));
  if (either.aborted) throw either.reason;
  return found;
}

function compared({ rows, index }: RecordedObject, found: RowsFound): TableResult {
  const same = found.rows === index.rows && Buffer.from(found.checksum).equals(index.checksum);
  return { ...nameOf(rows), rows: index.rows, found: found.rows, same };
}

/** Of each table with windows one description, without families: these have the same rows. */
function windowedTables(recorded: readonly RecordedObject[]): RowsDescription[] {
  const tables = new Map<string, RowsDescription>();
  for (const { rows } of recorded)
    if (rows.window !== null && rows.family === null)
      tables.set(JSON.stringify([rows.schema, rows.table]), rows);
  return [...tables.values()];
}

const wholeTable = (rows: RowsDescription): RowsDescription => ({
  ...rows,
  window: null,
  columns: rows.columns.slice(0, Math.max(1, rows.keyColumns)),
});

/** Rows in no window of the snapshot, which no comparison of windows sees. */
function strays(
  { schema, table }: RowsDescription,
  total: number,
  results: readonly TableResult[],
): TableResult[] {
  const seen = results
    .filter((each) => each.schema === schema && each.table === table && each.family === null)
    .reduce((sum, { found }) => sum + found, 0);
  if (total === seen) return [];
  return [{ schema, table, family: null, window: 'other', rows: 0, found: total - seen, same: false }];
}

const nameOf = ({ schema, table, family, window }: RowsDescription) => ({
  schema,
  table,
  family,
  window: window?.label ?? null,
});
