import { cancelled, MAX_ROW_BYTES, throwIfAborted } from '@holdfast/contracts';
import type { RowsDescription, RowsWindow } from '@holdfast/formats/rows';
import { TupleIntake } from '../../rows/tuple-intake.ts';
import { LARGE_OBJECT_PAGES } from '../large-objects.ts';
import type { PostgresConnectionOptions } from '../options.ts';
import { Session } from '../session.ts';
import { literal, qualified, quoted, quotedList } from './sql-names.ts';

export interface RowSums {
  readonly rows: number;
  /** As an index of these rows has it: 16 bytes. */
  readonly checksum: Uint8Array;
}

/** Reads restored tables back, to be compared with what was recorded at backup. Ended by its user. */
export class DatabaseSums {
  readonly #session: Session;
  readonly #room = new Uint8Array(2 * MAX_ROW_BYTES);

  private constructor(session: Session) {
    this.#session = session;
  }

  /** SOURCE_UNREADABLE: it reads as the source does, under the same settings. */
  static async connect(options: PostgresConnectionOptions): Promise<DatabaseSums> {
    return new DatabaseSums(await Session.connect(options));
  }

  /** Of the object's rows as they are in the database. SOURCE_UNREADABLE, SOURCE_CHANGED when there are none such, CANCELLED. */
  async of(description: RowsDescription, rowKey: Uint8Array, signal?: AbortSignal): Promise<RowSums> {
    throwIfAborted(signal);
    const cut = (): void => this.#session.destroy();
    signal?.addEventListener('abort', cut, { once: true });
    try {
      return await this.#read(description, rowKey);
    } catch (error) {
      throw signal?.aborted ? cancelled(signal) : error;
    } finally {
      signal?.removeEventListener('abort', cut);
    }
  }

  async #read(description: RowsDescription, rowKey: Uint8Array): Promise<RowSums> {
    const { schema, table, columns, keyColumns } = description;
    const binary = columns.every(({ encoding }) => encoding === 'binary');
    const format = binary ? 'copy-binary' : 'copy-text';
    const intake = new TupleIntake({ format, fields: columns.length, keyFields: keyColumns, rowKey });
    const sql = `COPY (${selectOf(description)}) TO STDOUT (FORMAT ${binary ? 'binary' : 'text'})`;
    const copy = this.#session.copy(sql, `table ${schema}.${table}`);
    while (!copy.ended) {
      await copy.arrival();
      copy.fill(intake);
      // Only the sum is of interest.
      while (intake.take(this.#room) !== null);
    }
    intake.end();
    const { rows, checksum } = intake.index();
    return { rows, checksum };
  }

  async end(): Promise<void> {
    await this.#session.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** As `DatabaseSums`, for one object. */
export async function databaseSums(
  options: PostgresConnectionOptions,
  description: RowsDescription,
  rowKey: Uint8Array,
): Promise<RowSums> {
  await using sums = await DatabaseSums.connect(options);
  return await sums.of(description, rowKey);
}

/** The checksum does not depend on the order, so the server need not sort. */
function selectOf({ schema, table, columns, window }: RowsDescription): string {
  if (schema === 'pg_catalog' && table === 'pg_largeobject') return LARGE_OBJECT_PAGES;
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
