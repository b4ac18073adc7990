import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { HoldfastError } from '@holdfast/contracts';
import type { ResultSetHeader } from 'mysql2';
import { fieldsOf } from '../../rows/tuple-splitter.ts';
import type { MysqlConnection } from '../connection.ts';
import { insertStart, type LoadColumn, literal, loadStatement } from './load-columns.ts';
import { loadTextOf } from './load-text.ts';

/** The driver writes whatever it is given, so we look at the socket ourselves. */
const SOCKET_BYTES = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
const STATEMENT_CHARACTERS = 1024 * 1024;
/** "Data truncated": what an enum's error value ('' with the number 0) gives when it is written again. */
const TRUNCATED = '1265';
const MAX_WARNINGS = 65_535;

/** Puts tuples into one table. */
export interface RowWriter {
  /** @param tuples whole ones, borrowed until the promise settles. */
  write(tuples: Uint8Array): Promise<void>;
  /** All rows are there. TARGET_UNWRITABLE, DISK_FULL when one is not as it was. */
  end(): Promise<void>;
}

export interface WriterTarget {
  readonly connection: MysqlConnection;
  /** Quoted, with its database. */
  readonly table: string;
  readonly columns: readonly LoadColumn[];
  /** Columns of type ENUM: these may hold an error value. */
  readonly enums: ReadonlySet<string>;
  /** For errors. */
  readonly what: string;
}

export const rowWriter = (target: WriterTarget, byFile: boolean): RowWriter =>
  byFile ? new FileWriter(target) : new StatementWriter(target);

/** LOAD DATA LOCAL: the fastest way in. */
class FileWriter implements RowWriter {
  readonly #target: WriterTarget;
  readonly #stream = new Readable({ read() {} });
  readonly #result: Promise<ResultSetHeader>;
  #failure: unknown = null;
  #settled = false;
  #rows = 0;

  constructor(target: WriterTarget) {
    this.#target = target;
    const sql = loadStatement(target.table, target.columns);
    this.#result = target.connection.load(sql, () => this.#stream, target.what);
    this.#result
      .catch((error) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#settled = true;
      });
  }

  async write(tuples: Uint8Array): Promise<void> {
    const { text, rows } = loadTextOf(tuples, this.#target.columns.length);
    this.#rows += rows;
    for (let at = 0; at < text.length; at += PIECE_BYTES) {
      if (this.#settled) throw this.#failure ?? this.#early();
      this.#stream.push(text.subarray(at, at + PIECE_BYTES));
      await this.#drained();
    }
  }

  async end(): Promise<void> {
    this.#stream.push(null);
    const result = await this.#result;
    await checkResult(this.#target, result, this.#rows);
  }

  async #drained(): Promise<void> {
    const socket = (this.#target.connection.driver as unknown as { stream: Socket }).stream;
    await new Promise((resolve) => setImmediate(resolve));
    while (!this.#settled && !socket.destroyed && socket.writableLength > SOCKET_BYTES) {
      const woken = new AbortController();
      const options = { signal: woken.signal };
      await Promise.race([
        once(socket, 'drain', options),
        once(socket, 'close', options),
        this.#result,
      ]).catch(() => undefined);
      woken.abort();
    }
  }

  #early(): HoldfastError {
    return new HoldfastError(
      'TARGET_UNWRITABLE',
      `The server took ${this.#target.what} to be whole too early`,
    );
  }
}

/** For servers that do not take files from clients: rows as literals, many to a statement. */
class StatementWriter implements RowWriter {
  readonly #target: WriterTarget;
  #values: string[] = [];
  #characters = 0;

  constructor(target: WriterTarget) {
    this.#target = target;
  }

  async write(tuples: Uint8Array): Promise<void> {
    const { columns } = this.#target;
    for (const fields of fieldsOf(tuples, columns.length)) {
      const row = `(${fields.map((field, i) => literal(columns[i]!, field)).join(',')})`;
      if (this.#characters + row.length > STATEMENT_CHARACTERS) await this.#flush();
      this.#values.push(row);
      this.#characters += row.length;
    }
  }

  async end(): Promise<void> {
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const { connection, table, columns, what } = this.#target;
    const rows = this.#values.length;
    if (rows === 0) return;
    const result = await connection.run(insertStart(table, columns) + this.#values.join(','), what);
    this.#values = [];
    this.#characters = 0;
    await checkResult(this.#target, result, rows);
  }
}

/** A server that was told to be lenient says what it has changed: nothing may have been. */
async function checkResult(
  { connection, enums, what }: WriterTarget,
  result: ResultSetHeader,
  rows: number,
): Promise<void> {
  const skipped = rows - result.affectedRows;
  const warnings = result.warningStatus > 0 ? await connection.rows('SHOW WARNINGS', what) : [];
  const bad = warnings.find(({ Code: code, Message: message }) => {
    const column = /'([^']*)' at row/.exec(message ?? '')?.[1];
    return code !== TRUNCATED || column === undefined || !enums.has(column);
  });
  if (skipped === 0 && bad === undefined && warnings.length < MAX_WARNINGS) return;
  const because = bad ? `: ${bad.Message?.slice(0, 200)}` : '';
  throw new HoldfastError(
    'TARGET_UNWRITABLE',
    `Rows of ${what} would not be what they were${skipped > 0 ? ` (${skipped} were skipped)` : ''}${because}`,
    {
      hint: 'Restore to a server of the same kind and version.',
      details: { skipped, errno: bad?.Code ?? null },
    },
  );
}
