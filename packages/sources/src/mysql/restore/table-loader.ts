import { type ContentWriter, HoldfastError } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';
import { TupleSplitter } from '../../rows/tuple-splitter.ts';
import type { MysqlConnection } from '../connection.ts';
import { quotePath, quoteText } from '../quoting.ts';
import type { ColumnFacts } from '../read/catalog.ts';
import { loadColumn } from './load-columns.ts';
import type { LoadLanes } from './load-lanes.ts';
import { rowWriter } from './row-writer.ts';

/** Loads the rows of one object into one table of the scratch database. */
export class TableLoader {
  readonly #lanes: LoadLanes;
  readonly #byFile: boolean;
  /** Two loads of one table would wait for each other's index pages. */
  readonly #busy = new Map<string, Promise<void>>();
  readonly #facts = new Map<string, readonly ColumnFacts[]>();

  constructor(lanes: LoadLanes, byFile: boolean) {
    this.#lanes = lanes;
    this.#byFile = byFile;
  }

  /** @param counted told how many rows there were. */
  async open(
    database: string,
    table: string,
    description: RowsDescription,
    counted: (rows: number) => void,
    signal?: AbortSignal,
  ): Promise<ContentWriter> {
    await this.#busy.get(table);
    const connection = await this.#lanes.take(signal);
    const facts = await this.#columnsOf(connection, database, table);
    const what = `table ${description.table}`;
    const columns = description.columns.map((column) => loadColumn(column, factOf(facts, column.name, what)));
    const target = {
      connection,
      columns,
      what,
      table: quotePath(database, table),
      enums: new Set(facts.filter(({ dataType }) => dataType === 'enum').map(({ name }) => name)),
    };
    const splitter = new TupleSplitter({ fields: columns.length });
    // Nothing is sent for a table without rows.
    let writer: ReturnType<typeof rowWriter> | null = null;
    let rows = 0;
    return {
      write: async (_offset, bytes) => {
        for (const tuples of splitter.push(bytes)) {
          writer ??= rowWriter(target, this.#byFile);
          await writer.write(tuples);
          rows += countOf(tuples, columns.length);
        }
      },
      complete: async () => {
        splitter.end();
        counted(rows);
        const work = writer?.end() ?? Promise.resolve();
        this.#busy.set(
          table,
          work.catch(() => undefined),
        );
        this.#lanes.background(connection, work);
      },
    };
  }

  async #columnsOf(
    connection: MysqlConnection,
    database: string,
    table: string,
  ): Promise<readonly ColumnFacts[]> {
    const known = this.#facts.get(table);
    if (known) return known;
    const rows =
      await connection.rows(`SELECT COLUMN_NAME AS name, DATA_TYPE AS data_type, COLUMN_TYPE AS type,
      CHARACTER_SET_NAME AS charset FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = ${quoteText(database)} AND TABLE_NAME = ${quoteText(table)}`);
    const facts = rows.map((row) => ({
      name: row.name!,
      dataType: row.data_type!.toLowerCase(),
      type: row.type!,
      charset: row.charset ?? null,
      notNull: false,
      generated: false,
      rowTime: false,
    }));
    this.#facts.set(table, facts);
    return facts;
  }
}

function factOf(facts: readonly ColumnFacts[], name: string, what: string): ColumnFacts {
  const fact = facts.find((each) => each.name === name);
  if (fact) return fact;
  throw new HoldfastError(
    'FORMAT_INVALID',
    `Rows of ${what} have a column ${name} that the table does not have`,
  );
}

function countOf(tuples: Uint8Array, fields: number): number {
  const view = new DataView(tuples.buffer, tuples.byteOffset, tuples.length);
  let rows = 0;
  for (let at = 0; at < tuples.length; rows++) {
    at += 2;
    for (let i = 0; i < fields; i++) at += 4 + Math.max(0, view.getInt32(at));
  }
  return rows;
}
