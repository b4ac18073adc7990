import type { Socket } from 'node:net';
import { HoldfastError } from '@holdfast/contracts';
import pg from 'pg';
import { type BackendMessage, connectionLost, MessageReader } from './message-reader.ts';
import { isServerError, type ServerError, serverError } from './server-errors.ts';

/**
 * Gives a connection that has been authenticated. `extra` is added to the driver's configuration; `replication: 'true'`
 * asks for one that speaks the replication protocol.
 */
export type Connect = (extra: {
  readonly replication?: 'true';
  readonly application_name?: string;
}) => Promise<pg.Client>;

/** Over the driver's own configuration, which also knows PGPASSWORD and ~/.pgpass. */
export const connectWith =
  (config: pg.ClientConfig): Connect =>
  async (extra) => {
    const client = new pg.Client({ ...config, ...extra } as pg.ClientConfig);
    client.on('error', () => {});
    await client.connect();
    return client;
  };

export type Row = readonly (Buffer | null)[];

const CONNECT_SECONDS = 30;
/** From this length on a value's message has memory of its own. */
const OWN_MESSAGE = 64 * 1024;
const TEXT = 0;
const BINARY = 1;

/**
 * A connection of which we speak the protocol ourselves: for replication, which the driver does not know, and for
 * binary values, which it turns to text. The driver has made the connection: TLS, passwords and names are its affair.
 */
export class RawConnection {
  readonly user: string;
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #reader: MessageReader;
  #closed = false;

  private constructor(client: pg.Client) {
    this.#client = client;
    this.user = client.user ?? '';
    this.#socket = (client as unknown as { connection: { stream: Socket } }).connection.stream;
    this.#reader = new MessageReader(this.#socket);
  }

  /** SOURCE_UNREADABLE with the remedy. */
  static async open(connect: Connect, kind: 'sql' | 'replication'): Promise<RawConnection> {
    const extra = kind === 'replication' ? ({ replication: 'true' } as const) : {};
    try {
      const client = await withDeadline(connect({ ...extra, application_name: 'holdfast' }));
      client.on('error', () => {});
      return new RawConnection(client);
    } catch (error) {
      throw connectError(error, kind);
    }
  }

  get ready(): boolean {
    return this.#reader.ready;
  }

  next(): Promise<BackendMessage> {
    return this.#reader.next();
  }

  /** One command of the simple protocol; its rows, as text. */
  async command(sql: string): Promise<Row[]> {
    this.send('Q', Buffer.from(`${sql}\0`));
    return this.#rows(sql);
  }

  /** One statement with text parameters; its values come in binary. */
  async query(sql: string, values: readonly (string | null)[] = [], format = BINARY): Promise<Row[]> {
    this.send('P', Buffer.concat([Buffer.from(`\0${sql}\0`), int16(0)]));
    const parameters = values.flatMap((value) => {
      if (value === null) return [int32(-1)];
      const bytes = Buffer.from(value);
      return [int32(bytes.length), bytes];
    });
    const formats = [int16(1), int16(TEXT), int16(values.length)];
    this.send('B', Buffer.concat([Buffer.from('\0\0'), ...formats, ...parameters, int16(1), int16(format)]));
    this.send('E', Buffer.concat([Buffer.from('\0'), int32(0)]));
    this.send('S', Buffer.alloc(0));
    return this.#rows(sql);
  }

  /** As `query`, with all values as text. */
  async text(sql: string, values: readonly (string | null)[] = []): Promise<(string | null)[][]> {
    const rows = await this.query(sql, values, TEXT);
    return rows.map((row) => row.map((value) => value?.toString() ?? null));
  }

  send(type: string, body: Uint8Array): void {
    if (this.#closed) return;
    const header = Buffer.alloc(5);
    header.write(type, 'latin1');
    header.writeUInt32BE(body.length + 4, 1);
    this.#socket.write(Buffer.concat([header, body]));
  }

  /** The message as an error where it is one. */
  throwIfError({ type, body }: BackendMessage, what: string): void {
    if (type === 'E') throw serverError(errorFields(body), what, this.user);
  }

  /** At once, whatever is under way; the server ends its side by itself. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.removeAllListeners('end');
    this.#socket.end(Buffer.from([0x58, 0, 0, 0, 4]));
    this.#socket.resume();
    setTimeout(() => this.#socket.destroy(), 200).unref();
  }

  async #rows(sql: string): Promise<Row[]> {
    const rows: Row[] = [];
    let failure: HoldfastError | null = null;
    for (;;) {
      const { type, body } = await this.next();
      if (type === 'D') rows.push(readRow(body));
      else if (type === 'E')
        failure ??= serverError(errorFields(body), `PostgreSQL refuses ${brief(sql)}`, this.user);
      else if (type === 'Z') break;
    }
    if (failure) throw failure;
    return rows;
  }
}

/** Values are views of the message where that is theirs alone; small ones are copied so that they do not pin it. */
function readRow(body: Buffer): Row {
  const count = body.readUInt16BE(0);
  const row: (Buffer | null)[] = [];
  let at = 2;
  for (let i = 0; i < count; i++) {
    const length = body.readInt32BE(at);
    at += 4;
    const value = length < 0 ? null : body.subarray(at, at + length);
    row.push(value && value.length < OWN_MESSAGE ? Buffer.from(value) : value);
    at += Math.max(0, length);
  }
  return row;
}

function errorFields(body: Buffer): ServerError {
  const fields = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0; ) {
    const end = body.indexOf(0, at + 1);
    fields.set(String.fromCharCode(body[at]!), body.toString('utf8', at + 1, end));
    at = end + 1;
  }
  return { code: fields.get('C') ?? '', message: fields.get('M') ?? '', detail: fields.get('D') };
}

function connectError(error: unknown, kind: string): HoldfastError {
  const what =
    kind === 'replication' ? 'No replication connection to PostgreSQL' : 'No connection to PostgreSQL';
  if (HoldfastError.is(error)) return error;
  if (isServerError(error)) return serverError(error, what, userIn(error.message));
  return new HoldfastError('SOURCE_UNREADABLE', `${what}: ${messageOf(error)}`, {
    hint: 'Check host, port and that the server runs.',
    cause: error,
    details: { reason: 'unreachable' },
  });
}

const userIn = (message: string): string => /user "([^"]+)"/.exec(message)?.[1] ?? 'USER';

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** A server that accepts and says nothing must not hold us for ever. */
async function withDeadline(connecting: Promise<pg.Client>): Promise<pg.Client> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(connectionLost(`no answer within ${CONNECT_SECONDS} s`)),
      CONNECT_SECONDS * 1000,
    );
  });
  try {
    return await Promise.race([connecting, late]);
  } finally {
    clearTimeout(timer);
    connecting.catch(() => {});
  }
}

const brief = (sql: string): string => (sql.length > 60 ? `${sql.slice(0, 60)}…` : sql);

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
