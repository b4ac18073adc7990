import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pipeline } from 'node:stream/promises';
import { setImmediate as breathe } from 'node:timers/promises';

export interface Comparison {
  readonly tables: number;
  readonly rows: number;
  /** What differs, in words; empty when nothing does. */
  readonly differences: readonly string[];
  /** Whether even the files are the same, byte for byte. */
  readonly sameFile: boolean;
}

const PRAGMAS = ['application_id', 'user_version', 'encoding', 'page_size', 'auto_vacuum'];

/**
 * Compares two databases row by row in SQL, without trusting that equal files were restored from equal bytes. Every
 * table counts, also those that hold full-text indexes, sequences and statistics; of virtual tables their content does.
 */
export async function compareDatabases(
  original: string,
  restored: string,
  signal: AbortSignal,
): Promise<Comparison> {
  const database = new DatabaseSync(restored, { readOnly: true });
  try {
    database.exec(`ATTACH ${quoted(original)} AS original`);
    const differences = [...differentPragmas(database), ...differentSchema(database)];
    const tables = tableNames(database);
    let rows = 0;
    for (const table of tables) {
      signal.throwIfAborted();
      const found = compareTable(database, table);
      rows += found.rows;
      differences.push(...found.differences);
      await breathe();
    }
    for (const line of integrity(database)) if (line !== 'ok') differences.push(`integrity: ${line}`);
    const sameFile = (await digest(original)) === (await digest(restored));
    return { tables: tables.length, rows, differences, sameFile };
  } finally {
    database.close();
  }
}

/**
 * Three numbers tell: rows here, rows there, and rows with a partner of equal key in which every column, generated ones
 * included, has the same type and value. All three alike means that the tables are the same set of rows.
 */
function compareTable(database: DatabaseSync, table: string): { rows: number; differences: string[] } {
  const columns = database.prepare(`PRAGMA main.table_xinfo(${quoted(table)})`).all() as {
    name: string;
    pk: number;
  }[];
  const key = isWithoutRowid(database, table)
    ? columns.filter((column) => column.pk > 0).map((column) => name(column.name))
    : ['rowid'];
  const paired = key.map((column) => `a.${column} = b.${column}`).join(' AND ');
  const same = columns
    .map((column) => name(column.name))
    .map(
      (column) => `a.${column} IS b.${column} COLLATE BINARY AND typeof(a.${column}) = typeof(b.${column})`,
    );
  const [here, there] = ['main', 'original'].map((schema) => `${schema}.${name(table)}`);
  const count = (from: string): number =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${from}`).get()!.n);
  const [rows, wanted] = [count(here!), count(there!)];
  const equal = count(`${here} a JOIN ${there} b ON ${paired} WHERE ${same.join(' AND ')}`);
  if (rows === wanted && equal === rows) return { rows, differences: [] };
  return { rows, differences: [`${table}: ${rows} rows instead of ${wanted}, ${equal} of them the same`] };
}

function isWithoutRowid(database: DatabaseSync, table: string): boolean {
  const found = database.prepare('SELECT wr FROM pragma_table_list WHERE schema = ? AND name = ?');
  return found.get('main', table)?.wr === 1;
}

function tableNames(database: DatabaseSync): string[] {
  const found = database
    .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')")
    .all() as { name: string }[];
  // The schema table itself names root pages; its text is compared on its own.
  return found.map((table) => table.name).filter((table) => !/^sqlite_(temp_)?schema$/.test(table));
}

function differentSchema(database: DatabaseSync): string[] {
  const read = (schema: string): string =>
    JSON.stringify(
      database
        .prepare(`SELECT type, name, tbl_name, sql FROM ${schema}.sqlite_schema ORDER BY 1, 2, 3`)
        .all(),
    );
  return read('main') === read('original') ? [] : ['the schema differs'];
}

function differentPragmas(database: DatabaseSync): string[] {
  const read = (schema: string, pragma: string): unknown =>
    Object.values(database.prepare(`PRAGMA ${schema}.${pragma}`).get() ?? {})[0];
  return PRAGMAS.filter((pragma) => read('main', pragma) !== read('original', pragma)).map(
    (pragma) => `${pragma} differs`,
  );
}

/** Also finds indexes that do not fit their tables, and full-text indexes that do not fit their text. */
const integrity = (database: DatabaseSync): string[] =>
  database
    .prepare('PRAGMA main.integrity_check')
    .all()
    .map((row) => String(row.integrity_check));

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

const name = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`;
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
