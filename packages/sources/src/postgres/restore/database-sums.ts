import type { RowsDescription, RowsWindow } from '@holdfast/formats/rows';
import type pg from 'pg';
import { RowSum } from '../../rows/row-sum.ts';
import { tuplesOfBinary, tuplesOfText } from './copied-tuples.ts';
import { copyOut } from './copy-out.ts';
import { readSettings } from './options.ts';
import { type PostgresServerOptions, ServerAccess } from './server-access.ts';
import { targetError } from './server-errors.ts';
import { literal, qualified, quoted, quotedList } from './sql-names.ts';

export interface RowSums {
  readonly rows: number;
  /** As an index of these rows has it: 16 bytes. */
  readonly checksum: Uint8Array;
}

/** Reads restored tables back, to be compared with what was recorded at backup. Ended by its user. */
export class DatabaseSums {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** TARGET_UNWRITABLE. */
  static async connect(
    options: PostgresServerOptions & { readonly database: string },
  ): Promise<DatabaseSums> {
    const access = await ServerAccess.of(options);
    const client = await access.connect(options.database, readSettings);
    // Such a server knows no encoding: its bytes come as they are.
    const { rows } = await client.query("SELECT current_setting('server_encoding') AS encoding");
    if ((rows as [{ encoding: string }])[0].encoding === 'SQL_ASCII')
      await client.query("SET client_encoding = 'SQL_ASCII'");
    return new DatabaseSums(client);
  }

  /** Of the object's rows as they are in the database. TARGET_UNWRITABLE when they cannot be read. */
  async of(description: RowsDescription, rowKey: Uint8Array): Promise<RowSums> {
    const { schema, table, columns, keyColumns } = description;
    const fields = columns.length;
    const binary = columns.every(({ encoding }) => encoding === 'binary');
    const sum = new RowSum({ fields, keyFields: keyColumns, rowKey });
    const sql = `COPY (${selectOf(description)}) TO STDOUT (FORMAT ${binary ? 'binary' : 'text'})`;
    try {
      let first = true;
      for await (const messages of copyOut(this.#client, sql)) {
        sum.add(binary ? tuplesOfBinary(messages, first) : tuplesOfText(messages, fields));
        first = false;
      }
    } catch (error) {
      throw targetError(error, `Cannot read table ${schema}.${table} back`);
    }
    return { rows: sum.rows, checksum: sum.checksum() };
  }

  async end(): Promise<void> {
    await this.#client.end().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** As `DatabaseSums`, for one object. */
export async function databaseSums(
  options: PostgresServerOptions & { readonly database: string },
  description: RowsDescription,
  rowKey: Uint8Array,
): Promise<RowSums> {
  await using sums = await DatabaseSums.connect(options);
  return await sums.of(description, rowKey);
}

/** The checksum does not depend on the order, so the server need not sort. */
function selectOf({ schema, table, columns, window }: RowsDescription): string {
  if (schema === 'pg_catalog' && table === 'pg_largeobject')
    return 'SELECT loid, pageno::int8 AS pageno, data FROM pg_catalog.pg_largeobject';
  const list = quotedList(columns.map(({ name }) => name));
  return `SELECT ${list} FROM ONLY ${qualified(schema, table)}${window === null ? '' : ` WHERE ${within(window)}`}`;
}

function within({ column, label, from, to }: RowsWindow): string {
  const name = quoted(column);
  if (label === 'none') return `${name} IS NULL`;
  const bounds = [
    ...(from === null ? [] : [`${name} >= ${literal(from)}`]),
    ...(to === null ? [] : [`${name} < ${literal(to)}`]),
  ];
  return bounds.length === 0 ? 'true' : bounds.join(' AND ');
}
