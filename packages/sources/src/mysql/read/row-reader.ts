import {
  cancelled,
  HoldfastError,
  MAX_ROW_BYTES,
  type ReadResult,
  type RowReader,
  type RowsResult,
  throwIfAborted,
} from '@holdfast/contracts';
import { TupleIntake } from '../../rows/tuple-intake.ts';
import type { MysqlConnection } from '../connection.ts';
import { quoteName, quoteText } from '../quoting.ts';
import { readTable } from './definitions.ts';
import type { PendingIndex } from './pending-index.ts';
import type { RowPlan } from './row-plan.ts';
import type { SnapshotConnections } from './snapshot-connections.ts';
import { TupleStream } from './tuple-stream.ts';

/** Reads the rows of one object, when they are asked for: until then it holds no connection. */
export class MysqlRowReader implements RowReader {
  readonly #plan: RowPlan;
  readonly #create: string;
  readonly #connections: SnapshotConnections;
  readonly #intake: TupleIntake;
  readonly #index: PendingIndex;
  #connection: MysqlConnection | null = null;
  #stream: TupleStream | null = null;
  #batch: Uint8Array = new Uint8Array(0);
  #ended = false;
  #closed = false;
  /** For `read`, into buffers that may be smaller than a row. */
  #held: Uint8Array | null = null;
  #piece: Uint8Array = new Uint8Array(0);

  /** @param create the table's definition as it is in the snapshot. @param index told at the end what the rows were. */
  constructor(
    plan: RowPlan,
    create: string,
    connections: SnapshotConnections,
    rowKey: Uint8Array,
    index: PendingIndex,
  ) {
    const { columns, keyColumns: keyFields } = plan.description;
    this.#plan = plan;
    this.#create = create;
    this.#connections = connections;
    this.#intake = new TupleIntake({ format: 'tuples', fields: columns.length, keyFields, rowKey });
    this.#index = index;
  }

  async readRows(into: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<RowsResult> {
    for (;;) {
      throwIfAborted(signal);
      if (this.#closed) throw new HoldfastError('CANCELLED', `The reader of ${this.#what} is closed`);
      const result = this.#intake.take(into);
      if (result !== null) return result;
      if (this.#ended) return { kind: 'end' };
      await this.#whileNotAborted(signal, () => this.#fill());
    }
  }

  async read(into: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<ReadResult> {
    throwIfAborted(options.signal);
    if (this.#piece.length === 0) {
      this.#held ??= new Uint8Array(MAX_ROW_BYTES);
      const result = await this.readRows(this.#held, options);
      if (result.kind === 'end') return { kind: 'end' };
      this.#piece = this.#held.subarray(0, result.length);
    }
    const part = this.#piece.subarray(0, into.length);
    into.set(part);
    this.#piece = this.#piece.subarray(part.length);
    return { kind: 'data', length: part.length };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#index.giveUp();
    await this.#release();
  }

  get #what(): string {
    return `table ${this.#plan.table.name}`;
  }

  async #fill(): Promise<void> {
    if (this.#plan.empty) return this.#end();
    this.#stream ??= await this.#begin();
    if (this.#batch.length === 0) {
      const batch = await this.#stream.next();
      if (batch === null) return this.#end();
      this.#batch = batch;
    }
    const taken = this.#intake.push(this.#batch);
    this.#batch = this.#batch.subarray(taken);
  }

  async #begin(): Promise<TupleStream> {
    const connection = await this.#connections.take();
    this.#connection = connection;
    await this.#checkUnchanged(connection);
    const { select, description } = this.#plan;
    return new TupleStream(connection, select, description.columns.length, this.#what);
  }

  /**
   * The server notices most changes of a table's definition by itself. It does not when two tables have swapped names,
   * nor when a column was added without touching rows. The first statement keeps further changes out until the end.
   */
  async #checkUnchanged(connection: MysqlConnection): Promise<void> {
    const { name, changed } = this.#plan.table;
    await connection.rows(`SELECT 1 AS one FROM ${quoteName(name)} LIMIT 0`, this.#what);
    const { create } = await readTable(connection, name);
    const [now] = await connection.rows(`SELECT CREATE_TIME AS changed FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${quoteText(name)}`);
    if (create === this.#create && (now?.changed ?? '') === changed) return;
    throw new HoldfastError('SOURCE_CHANGED', `Table ${name} was altered or replaced while the backup ran`, {
      hint: 'Run it again when no migration runs.',
      details: { table: name },
    });
  }

  async #end(): Promise<void> {
    this.#intake.end();
    this.#ended = true;
    await this.#release();
    this.#index.settle(this.#intake.index());
  }

  async #release(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    await this.#connections.giveBack(connection, this.#stream?.ended === false ? this.#stream.drain() : null);
  }

  /** There is no other way to end a wait for a server than to hang up, which ends the snapshot. */
  async #whileNotAborted(signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
    if (!signal) return work();
    const hangUp = (): void => {
      this.#connections.fail(cancelled(signal));
      this.#connection?.destroy();
    };
    signal.addEventListener('abort', hangUp, { once: true });
    try {
      await work();
    } catch (error) {
      throw signal.aborted ? cancelled(signal) : error;
    } finally {
      signal.removeEventListener('abort', hangUp);
    }
  }
}
