import type { MysqlConnection } from '../connection.ts';

/** What is handed on at once; small enough that the socket stays the only other buffer. */
const BATCH_BYTES = 128 * 1024;
const NULL_FIELD = 0xfb;

/** The parts of the driver's packet that hold a row: https://mariadb.com/kb/en/result-set-packets/ */
interface Packet {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  isEOF(): boolean;
}

type Step = (packet: Packet, connection: unknown) => unknown;

/**
 * The rows of one SELECT as tuples, with back-pressure: while nobody asks, the connection is paused and the server waits.
 *
 * The driver would make a JavaScript value of each field first. Its step for one row is replaced instead, for this one
 * query: a row of the text protocol has length and bytes of each field already, and only the lengths look otherwise in
 * a tuple.
 */
export class TupleStream {
  readonly #connection: MysqlConnection;
  readonly #fields: number;
  readonly #object: string;
  #batch: Buffer = Buffer.allocUnsafe(BATCH_BYTES * 2);
  #length = 0;
  #ended = false;
  #failure: unknown = null;
  #wake: (() => void) | null = null;
  readonly #broken = (error?: unknown): void => this.#end(error ?? { code: 'PROTOCOL_CONNECTION_LOST' });

  /** @param object for errors: what is read. */
  constructor(connection: MysqlConnection, sql: string, fields: number, object: string) {
    this.#connection = connection;
    this.#fields = fields;
    this.#object = object;
    const query = connection.driver.query(sql);
    const step = query as unknown as { row: Step };
    const driverStep = step.row;
    step.row = (packet, driver) => {
      if (packet.isEOF()) return driverStep.call(query, packet, driver);
      this.#append(packet);
      return step.row;
    };
    query.on('error', (error: unknown) => this.#end(error));
    query.on('end', () => this.#end(null));
    connection.driver.on('error', this.#broken);
    connection.driver.on('end', this.#broken);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whole tuples, back to back, good until the next call; null at the end. SOURCE_UNREADABLE, SOURCE_CHANGED. */
  async next(): Promise<Uint8Array | null> {
    this.#length = 0;
    if (!this.#ended) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#connection.driver.resume();
      await woken;
    }
    if (this.#failure !== null) throw this.#connection.error(this.#failure, this.#object);
    return this.#length === 0 ? null : this.#batch.subarray(0, this.#length);
  }

  /** Waits for the end, whatever comes: for a statement that someone has been told to end. */
  async drain(): Promise<void> {
    while (!this.#ended) await this.next().catch(() => undefined);
  }

  #append({ buffer, offset, end }: Packet): void {
    const most = 2 + 4 * this.#fields + (end - offset);
    if (this.#batch.length - this.#length < most) this.#grow(this.#length + most);
    this.#length = writeTuple(buffer, offset, this.#fields, this.#batch, this.#length);
    if (this.#length < BATCH_BYTES) return;
    this.#connection.driver.pause();
    this.#wakeUp();
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(bytes);
    this.#batch.copy(larger, 0, 0, this.#length);
    this.#batch = larger;
  }

  #end(failure: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#connection.driver.off('error', this.#broken);
    this.#connection.driver.off('end', this.#broken);
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

function writeTuple(from: Buffer, start: number, fields: number, to: Buffer, at: number): number {
  let read = start;
  let write = to.writeUInt16BE(fields, at);
  for (let i = 0; i < fields; i++) {
    let length = from[read++]!;
    if (length === NULL_FIELD) {
      write = to.writeInt32BE(-1, write);
      continue;
    }
    if (length > NULL_FIELD) {
      const bytes = length === 0xfc ? 2 : length === 0xfd ? 3 : 6;
      length = from.readUIntLE(read, bytes);
      // Lengths take eight bytes then; no row of MySQL's comes near the last two.
      read += bytes === 6 ? 8 : bytes;
    }
    write = to.writeInt32BE(length, write);
    if (length > 64) from.copy(to, write, read, read + length);
    else for (let b = 0; b < length; b++) to[write + b] = from[read + b]!;
    read += length;
    write += length;
  }
  return write;
}
