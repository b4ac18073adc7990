import {
  type Attributes,
  type ContentWriter,
  displayPath,
  HoldfastError,
  isSafePath,
  type ObjectHeader,
  type Sink,
  throwIfAborted,
} from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';
import type pg from 'pg';
import { CopyLanes } from './copy-lanes.ts';
import { copyTarget } from './copy-target.ts';
import { checkFamilyTable, existingTriggers } from './existing-table.ts';
import { sessionSettings } from './options.ts';
import { descriptionOf } from './rows-header.ts';
import { BatchBuffers, RowsLoader } from './rows-loader.ts';
import { isNamed } from './selection.ts';
import { destroy, type PostgresServerOptions, ServerAccess } from './server-access.ts';
import { targetError } from './server-errors.ts';
import { qualified, quoted, quotedList } from './sql-names.ts';

export interface PutBackOptions extends PostgresServerOptions {
  /** A restored database that is in use again, perhaps. */
  readonly database: string;
  /** `NAME` or `SCHEMA.NAME`. */
  readonly table: string;
  readonly family: string;
  /** Overwrites values that are there. Default false: only rows whose family is null altogether are filled. */
  readonly replace?: boolean;
}

export interface PutBackReport {
  /** Rows of the family in the snapshot. */
  readonly rows: number;
  /** Of those, rows whose key the table has. */
  readonly matched: number;
  /** Of those, rows that were filled; the others had values already. */
  readonly filled: number;
  /** Columns that must not be null again; one with nulls left is not among them. */
  readonly notNull: readonly string[];
}

export interface FamilySink extends Sink {
  /** After `finish`. */
  readonly report: PutBackReport | null;
}

const STAGED = 'holdfast_family';

/**
 * Puts a family of columns back into a table that was restored without it. Takes a snapshot's objects and passes over all
 * others. One transaction: nothing is seen of it before `finish`, and nothing is left of it after a crash.
 */
export function putBackFamily(options: PutBackOptions): FamilySink {
  return new PutBack(options);
}

class PutBack implements FamilySink {
  readonly order = 'ascending';
  report: PutBackReport | null = null;
  readonly #options: PutBackOptions;
  #client: pg.Client | null = null;
  #lanes = new CopyLanes([]);
  #rows: RowsDescription | null = null;
  #loaded = 0;

  constructor(options: PutBackOptions) {
    this.#options = options;
  }

  async begin(
    _snapshot: { attributes: Attributes },
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<void> {
    throwIfAborted(signal);
    const access = await ServerAccess.of(this.#options);
    this.#client = await access.connect(this.#options.database, sessionSettings('64MB', 'UTF8'));
    this.#lanes = new CopyLanes([this.#client]);
    await this.#client.query('BEGIN');
  }

  async create(
    object: ObjectHeader & { size: number | null },
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<ContentWriter | null> {
    throwIfAborted(signal);
    if (!isSafePath(object.path))
      throw new HoldfastError('FORMAT_INVALID', `Unsafe path ${displayPath(object.path)}`);
    const rows = object.kind === 'rows' ? descriptionOf(object) : null;
    if (
      rows === null ||
      rows.family !== this.#options.family ||
      !isNamed(this.#options.table, rows.schema, rows.table)
    )
      return { write: async () => {}, complete: async () => {} };
    return this.#open(rows);
  }

  async finish({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    throwIfAborted(signal);
    const { table, family, database } = this.#options;
    const rows = this.#rows;
    if (rows === null)
      throw new HoldfastError('NOT_FOUND', `The snapshot has no family ${family} of a table ${table}`);
    const client = this.#client!;
    const stop = (): void => destroy(client);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await this.#lanes.drain();
      this.report = await this.#update(client, rows);
      await client.query('COMMIT');
    } catch (error) {
      throwIfAborted(signal);
      throw targetError(error, `Cannot put ${family} back into table ${table} of ${database}`);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    await client.end();
    this.#client = null;
  }

  async abort(): Promise<void> {
    if (this.#client !== null) destroy(this.#client);
    this.#client = null;
  }

  async #open(rows: RowsDescription): Promise<ContentWriter> {
    if (this.#rows === null) await this.#stage(rows);
    else if (qualified(this.#rows.schema, this.#rows.table) !== qualified(rows.schema, rows.table))
      throw new HoldfastError(
        'USAGE',
        `The snapshot has more than one table ${rows.table}: name its schema too`,
      );
    const target = copyTarget(rows, `pg_temp.${STAGED}`);
    const loader = new RowsLoader(this.#lanes, new BatchBuffers(), target, rows.columns.length);
    return {
      write: (offset, bytes) => loader.write(offset, bytes),
      complete: async (size) => {
        const loaded = await loader.complete(size);
        this.#loaded += await loaded.rows;
      },
    };
  }

  async #stage(rows: RowsDescription): Promise<void> {
    const client = this.#client!;
    await checkFamilyTable(client, rows);
    this.#rows = rows;
    const columns = quotedList(rows.columns.map(({ name }) => name));
    await client.query(
      `CREATE TEMPORARY TABLE ${STAGED} ON COMMIT DROP AS
         SELECT ${columns} FROM ONLY ${qualified(rows.schema, rows.table)} WITH NO DATA`,
    );
  }

  /** The user's own triggers would take this for a change of data; foreign keys are checked as ever. */
  async #update(client: pg.Client, rows: RowsDescription): Promise<PutBackReport> {
    const table = qualified(rows.schema, rows.table);
    await client.query(`LOCK TABLE ONLY ${table} IN SHARE ROW EXCLUSIVE MODE`);
    await client.query(`ANALYZE pg_temp.${STAGED}`);
    const triggers = await existingTriggers(client, table);
    await triggers.disable();
    const keys = rows.columns.slice(0, rows.keyColumns).map(({ name }) => quoted(name));
    const family = rows.columns.slice(rows.keyColumns);
    const names = family.map(({ name }) => quoted(name));
    const same = keys.map((key) => `t.${key} = s.${key}`).join(' AND ');
    const empty = this.#options.replace
      ? ''
      : ` AND ${names.map((name) => `t.${name} IS NULL`).join(' AND ')}`;
    const matched = await client.query(
      `SELECT count(*)::text AS n FROM ONLY ${table} AS t JOIN pg_temp.${STAGED} AS s ON ${same}`,
    );
    const filled = await client.query(
      `UPDATE ONLY ${table} AS t SET ${names.map((name) => `${name} = s.${name}`).join(', ')}
       FROM pg_temp.${STAGED} AS s WHERE ${same}${empty}`,
    );
    // What waits for the end of the transaction would be in the way of altering the table.
    await client.query('SET CONSTRAINTS ALL IMMEDIATE');
    await triggers.restore();
    const notNull: string[] = [];
    for (const column of family.filter((each) => each.notNull))
      if (await requireValues(client, table, column.name)) notNull.push(column.name);
    return {
      rows: this.#loaded,
      matched: Number((matched.rows as [{ n: string }])[0].n),
      filled: filled.rowCount ?? 0,
      notNull,
    };
  }
}

async function requireValues(client: pg.Client, table: string, column: string): Promise<boolean> {
  const name = quoted(column);
  const { rows } = await client.query(
    `SELECT EXISTS (SELECT FROM ONLY ${table} WHERE ${name} IS NULL) AS nulls`,
  );
  if ((rows as [{ nulls: boolean }])[0].nulls) return false;
  await client.query(`ALTER TABLE ${table} ALTER COLUMN ${name} SET NOT NULL`);
  return true;
}
