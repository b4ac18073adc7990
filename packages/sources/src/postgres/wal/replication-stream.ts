import { HoldfastError } from '@holdfast/contracts';
import { formatLsn, historyName, type Lsn, parseLsn, postgresMicros } from './lsn.ts';
import { connectionLost } from './wire/message-reader.ts';
import type { Connect, Row } from './wire/raw-connection.ts';
import { RawConnection } from './wire/raw-connection.ts';

export type StreamMessage =
  | { readonly kind: 'wal'; readonly start: Lsn; readonly bytes: Buffer }
  /** The server wants to hear from us: it shuts down, or doubts that we live. */
  | { readonly kind: 'keepalive'; readonly replyWanted: boolean }
  /** The timeline ends here. */
  | { readonly kind: 'end'; readonly nextTimeline: number; readonly switchLsn: Lsn };

const WAL_HEADER = 25;
const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The replication protocol's physical side, message by message. */
export class ReplicationStream {
  readonly #connection: RawConnection;
  #streaming = false;
  #pending: Promise<StreamMessage> | null = null;

  private constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  /** SOURCE_UNREADABLE with the remedy. */
  static async open(connect: Connect): Promise<ReplicationStream> {
    return new ReplicationStream(await RawConnection.open(connect, 'replication'));
  }

  async identify(): Promise<{ systemId: bigint; timeline: number }> {
    const [row] = await this.#connection.command('IDENTIFY_SYSTEM');
    return { systemId: BigInt(textOf(row, 0)), timeline: Number(textOf(row, 1)) };
  }

  /** The history file's content. */
  async history(timeline: number): Promise<Uint8Array> {
    const [row] = await this.#connection.command(`TIMELINE_HISTORY ${timeline}`);
    const content = row?.[1];
    if (textOf(row, 0) !== historyName(timeline) || !content) throw odd('a history of another timeline');
    return Buffer.from(content);
  }

  async createSlot(name: string, temporary: boolean): Promise<void> {
    const kind = temporary ? 'TEMPORARY PHYSICAL' : 'PHYSICAL';
    await this.#connection.command(`CREATE_REPLICATION_SLOT ${quotedName(name)} ${kind} RESERVE_WAL`);
  }

  /** Null when it streams; else the timeline had ended there already. */
  async start(slot: string, lsn: Lsn, timeline: number): Promise<StreamMessage | null> {
    const command = `START_REPLICATION SLOT ${quotedName(slot)} PHYSICAL ${formatLsn(lsn)} TIMELINE ${timeline}`;
    this.#connection.send('Q', Buffer.from(`${command}\0`));
    const first = await this.#connection.next();
    if (first.type === 'W') {
      this.#streaming = true;
      return null;
    }
    if (first.type === 'E') await this.#passTo('Z').catch(() => {});
    this.#connection.throwIfError(first, `PostgreSQL does not stream WAL from ${formatLsn(lsn)}`);
    return this.#timelineEnd();
  }

  /** Whether `next` gives a message at once. */
  get ready(): boolean {
    return this.#pending === null && this.#connection.ready;
  }

  next(): Promise<StreamMessage> {
    return this.#next();
  }

  /** The next message, or null when the alarm goes off first: then the message is kept for the next call. */
  async nextBefore(alarm: Promise<null>): Promise<StreamMessage | null> {
    this.#pending ??= this.#next();
    this.#pending.catch(() => {});
    const message = await Promise.race([this.#pending, alarm]);
    if (message !== null) this.#pending = null;
    return message;
  }

  /** @param flushed 0 for "nothing yet", which lets a server shut down that would wait for it. */
  status(received: Lsn, flushed: Lsn, nowMs: number, wantsReply = false): void {
    if (!this.#streaming) return;
    const reply = Buffer.alloc(34);
    reply.write('r', 'latin1');
    [received, flushed, flushed].forEach((lsn, i) => {
      reply.writeBigUInt64BE(lsn, 1 + 8 * i);
    });
    reply.writeBigInt64BE(postgresMicros(BigInt(Math.floor(nowMs)) * 1000n), 25);
    reply[33] = wantsReply ? 1 : 0;
    this.#connection.send('d', reply);
  }

  close(): void {
    this.#connection.close();
  }

  async #next(): Promise<StreamMessage> {
    for (;;) {
      const message = await this.#connection.next();
      this.#connection.throwIfError(message, 'PostgreSQL ended the stream of WAL');
      const { type, body } = message;
      if (type === 'd' && body[0] === 0x77)
        return { kind: 'wal', start: body.readBigUInt64BE(1), bytes: body.subarray(WAL_HEADER) };
      if (type === 'd' && body[0] === 0x6b) return { kind: 'keepalive', replyWanted: body[17] === 1 };
      if (type === 'c') return this.#timelineEnd();
      if (type === 'C') throw connectionLost('the server shut down');
    }
  }

  async #timelineEnd(): Promise<StreamMessage> {
    if (this.#streaming) this.#connection.send('c', Buffer.alloc(0));
    this.#streaming = false;
    const row = await this.#passTo('Z');
    if (!row) throw connectionLost('the server shut down');
    return { kind: 'end', nextTimeline: Number(textOf(row, 0)), switchLsn: parseLsn(textOf(row, 1)) };
  }

  /** Reads on to the message of this type; the last row on the way. */
  async #passTo(type: string): Promise<Row | null> {
    let row: Row | null = null;
    for (;;) {
      const message = await this.#connection.next();
      this.#connection.throwIfError(message, 'PostgreSQL ended the stream of WAL');
      if (message.type === 'D') row = rowOf(message.body);
      if (message.type === type) return row;
    }
  }
}

function rowOf(body: Buffer): Row {
  const row: (Buffer | null)[] = [];
  for (let i = 0, at = 2; i < body.readUInt16BE(0); i++) {
    const length = body.readInt32BE(at);
    row.push(length < 0 ? null : body.subarray(at + 4, at + 4 + length));
    at += 4 + Math.max(0, length);
  }
  return row;
}

function textOf(row: Row | undefined, column: number): string {
  const value = row?.[column];
  if (!value) throw odd('an answer without its columns');
  return value.toString();
}

const odd = (what: string): HoldfastError =>
  new HoldfastError('SOURCE_UNREADABLE', `PostgreSQL gave ${what}`, { details: { reason: 'protocol' } });
