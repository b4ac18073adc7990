import type pg from 'pg';

/** Bytes that are handed over at a time, about. */
const BATCH_BYTES = 256 * 1024;
const MAX_WAITING = 4 * BATCH_BYTES;

interface Wire {
  readonly stream: { pause(): unknown; resume(): unknown };
  query(text: string): void;
}

/** `COPY … TO STDOUT`: its rows' bytes in batches of whole messages, with back-pressure on the socket. */
export async function* copyOut(client: pg.Client, sql: string): AsyncGenerator<Buffer[]> {
  const query = new CopyOutQuery(sql);
  client.query(query);
  for (;;) {
    const batch = await query.next();
    if (batch === null) return;
    yield batch;
  }
}

class CopyOutQuery implements pg.Submittable {
  readonly #sql: string;
  #wire: Wire | null = null;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #error: unknown = null;
  #wake = (): void => {};

  constructor(sql: string) {
    this.#sql = sql;
  }

  /** Null at the end. */
  async next(): Promise<Buffer[] | null> {
    while (this.#bytes < BATCH_BYTES && !this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#error !== null) throw this.#error;
    if (this.#waiting.length === 0) return null;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    this.#wire?.stream.resume();
    return batch;
  }

  submit(connection: unknown): void {
    this.#wire = connection as Wire;
    this.#wire.query(this.#sql);
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    // The driver uses its buffer again.
    this.#waiting.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_WAITING) this.#wire?.stream.pause();
    if (this.#bytes >= BATCH_BYTES) this.#wake();
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#ended = true;
    this.#wake();
  }

  handleError(error: unknown): void {
    this.#error = error;
    this.#ended = true;
    this.#wake();
  }
}
