import type { Writable } from 'node:stream';
import type pg from 'pg';

const COPY_DATA = 0x64;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
export const COPY_HEADER_BYTES = 5;

const BINARY_HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const BINARY_TRAILER = Buffer.from([0xff, 0xff]);

/** `pg`'s untyped side: what it gives to whoever submits a query of their own. */
interface Wire {
  readonly stream: Writable;
  query(text: string): void;
}

/**
 * One `COPY … FROM STDIN`. Data goes to the connection's socket as it is, without a copy; `pg` handles just the answers.
 * After an error the server skips what is still sent until it is ready again.
 */
export class CopyIn implements pg.Submittable {
  readonly #text: string;
  readonly #binary: boolean;
  readonly #started = Promise.withResolvers<Writable>();
  readonly #ended = Promise.withResolvers<number>();
  #rows = 0;

  constructor(text: string, binary: boolean) {
    this.#text = text;
    this.#binary = binary;
    // Whoever waits hears of a failure; that nobody waits yet is no reason to end the process.
    this.#started.promise.catch(() => {});
    this.#ended.promise.catch(() => {});
  }

  /** Rows that the server has taken; rejects with its error. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  /** `message` has `COPY_HEADER_BYTES` of room before its data. It is borrowed until the promise settles. */
  async send(message: Buffer): Promise<void> {
    const stream = await this.#started.promise;
    setHeader(message, message.length - COPY_HEADER_BYTES);
    await written(stream, message);
  }

  /** For data without room before it, of any length below 1 GiB. */
  async sendPlain(data: Uint8Array): Promise<void> {
    const stream = await this.#started.promise;
    const header = Buffer.allocUnsafe(COPY_HEADER_BYTES);
    setHeader(header, data.length);
    stream.write(header);
    await written(stream, data);
  }

  /** No more will come: gives how many rows the server took. */
  async finish(): Promise<number> {
    const stream = await this.#started.promise;
    if (this.#binary) await this.sendPlain(BINARY_TRAILER);
    stream.write(COPY_DONE);
    return this.#ended.promise;
  }

  submit(connection: unknown): void {
    (connection as Wire).query(this.#text);
  }

  handleCopyInResponse(connection: unknown): void {
    const { stream } = connection as Wire;
    if (this.#binary) {
      const header = Buffer.allocUnsafe(COPY_HEADER_BYTES);
      setHeader(header, BINARY_HEADER.length);
      stream.write(Buffer.concat([header, BINARY_HEADER]));
    }
    this.#started.resolve(stream);
  }

  handleCommandComplete(message: { text: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(message.text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#ended.resolve(this.#rows);
  }

  handleError(error: unknown): void {
    this.#started.reject(error);
    this.#ended.reject(error);
  }
}

function setHeader(message: Buffer, dataBytes: number): void {
  message[0] = COPY_DATA;
  message.writeUInt32BE(dataBytes + 4, 1);
}

/** When the system has taken all of it: the back-pressure of the server, and the end of the loan. */
const written = (stream: Writable, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
