import {
  cancelled,
  HoldfastError,
  MAX_ROW_BYTES,
  type ReadResult,
  type RowReader,
  type RowsResult,
  throwIfAborted,
} from '@holdfast/contracts';
import type { RowsIndex } from '@holdfast/formats/rows';
import { TupleIntake, type TupleIntakeOptions } from '../rows/tuple-intake.ts';
import type { Fetch, ReaderPool } from './reader-pool.ts';

const READ_BYTES = 2 * MAX_ROW_BYTES;

export interface RowsReaderEvents {
  /** All rows have been taken. */
  onEnd(index: RowsIndex): void;
  onClose(): void;
}

/** Rows of one object, from one COPY or several of successive ranges of the key. */
export class PostgresRowsReader implements RowReader {
  readonly #pool: ReaderPool;
  readonly #fetches: readonly Fetch[];
  readonly #intake: TupleIntake;
  readonly #events: RowsReaderEvents;
  #current = 0;
  #state: 'reading' | 'ended' | 'closed' = 'reading';
  /** For `read` into small buffers. */
  #rest: Uint8Array = new Uint8Array(0);
  #own: Uint8Array | null = null;

  constructor(
    pool: ReaderPool,
    fetches: readonly Fetch[],
    intake: TupleIntakeOptions,
    events: RowsReaderEvents,
  ) {
    this.#pool = pool;
    this.#fetches = fetches;
    this.#intake = new TupleIntake(intake);
    this.#events = events;
  }

  async readRows(into: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<RowsResult> {
    for (;;) {
      throwIfAborted(signal);
      if (this.#state === 'closed')
        throw new HoldfastError('SOURCE_UNREADABLE', 'The reader has been closed');
      const taken = this.#intake.take(into);
      if (taken) return taken;
      if (this.#state === 'ended') return this.#tell();
      await this.#more(signal);
    }
  }

  async read(into: Uint8Array, options: { signal?: AbortSignal } = {}): Promise<ReadResult> {
    if (this.#rest.length === 0) {
      const direct = into.length >= READ_BYTES;
      const buffer = direct ? into : this.#ownBuffer();
      const result = await this.readRows(buffer, options);
      if (result.kind === 'end') return result;
      if (direct) return { kind: 'data', length: result.length };
      this.#rest = buffer.subarray(0, result.length);
    }
    throwIfAborted(options.signal);
    const length = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
    return { kind: 'data', length };
  }

  #ownBuffer(): Uint8Array {
    this.#own ??= new Uint8Array(READ_BYTES);
    return this.#own;
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const unfinished = this.#state === 'reading';
    this.#state = 'closed';
    this.#events.onClose();
    if (!unfinished) return;
    for (const [i, fetch] of this.#fetches.entries())
      if (i >= this.#current) this.#pool.release(fetch, i === this.#current ? this.#intake : null);
  }

  /** Lets the intake have what has come, or waits until something does. */
  async #more(signal: AbortSignal | undefined): Promise<void> {
    const fetch = this.#fetches[this.#current];
    if (!fetch) return this.#end();
    const copy = await unlessAborted(this.#pool.demand(fetch), signal);
    await unlessAborted(copy.arrival(), signal);
    if (this.#state === 'closed') return;
    copy.fill(this.#intake);
    if (!copy.ended) return;
    this.#pool.release(fetch);
    this.#current++;
  }

  #end(): void {
    // Of a table without rows nothing was asked.
    if (this.#fetches.length > 0) this.#intake.end();
    this.#state = 'ended';
  }

  /** All rows have been taken. */
  #tell(): RowsResult {
    this.#events.onEnd(this.#intake.index());
    return { kind: 'end' };
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  throwIfAborted(signal);
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled(signal));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
