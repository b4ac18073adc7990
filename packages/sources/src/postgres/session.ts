import { readFile } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/contracts';
import pg from 'pg';
import { CopyOut } from './copy-out.ts';
import { passwordFor, type ServerAddress, serverAddress } from './credentials.ts';
import { invalid, type PostgresConnectionOptions, type TlsMode } from './options.ts';
import type { SeamFilter } from './seam-filter.ts';
import { connectError, readError } from './server-errors.ts';

export interface SessionOptions extends PostgresConnectionOptions {
  readonly lockTimeoutMs?: number;
}

/** Over the driver's own: `replication: 'true'` asks for a connection that speaks that protocol. */
export type ExtraConfiguration = Readonly<Record<string, unknown>>;

type Ssl = false | { rejectUnauthorized: boolean; ca?: string; checkServerIdentity?: () => undefined };

export const DEFAULT_LOCK_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 30_000;
/** Older servers lack what consistent copies need; newer ones were not tried. */
export const OLDEST_VERSION = 130_000;

/** Every value is text: the driver's own parsers would lose precision. */
const RAW_TYPES = { getTypeParser: () => (value: string | Buffer) => value };

/** One connection, with settings under which values are always written alike. */
export class Session {
  readonly address: ServerAddress;
  readonly pid: number;
  readonly #client: pg.Client;
  #lost: Error | null = null;
  /** Settles when everything asked so far has been answered. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(client: pg.Client, address: ServerAddress) {
    this.#client = client;
    this.address = address;
    this.pid = (client as unknown as { processID: number }).processID;
    client.on('error', (error) => {
      this.#lost ??= error;
    });
  }

  /** SOURCE_UNREADABLE, CONFIG_INVALID. */
  static async connect(options: SessionOptions): Promise<Session> {
    const address = serverAddress(options);
    const password = await passwordFor(options, address);
    const session = new Session(await connectClient(options, address, password), address);
    try {
      await session.#prepare(options.lockTimeoutMs ?? DEFAULT_LOCK_TIMEOUT_MS);
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  get lost(): boolean {
    return this.#lost !== null;
  }

  /**
   * The last statement's rows, with every value as the server writes it.
   * @param what names the object that it is about, for errors.
   */
  async query<Row extends object = Record<string, string | null>>(
    sql: string,
    what: string,
    values?: readonly unknown[],
  ): Promise<Row[]> {
    const asked = this.#last.then(() => this.#ask(sql, values));
    this.#last = asked.catch(() => {});
    try {
      return (await asked) as Row[];
    } catch (error) {
      throw readError(error, what, this.address.user);
    }
  }

  async #ask(sql: string, values: readonly unknown[] | undefined): Promise<object[]> {
    const result = await this.#client.query({ text: sql, values: values && [...values], types: RAW_TYPES });
    return (Array.isArray(result) ? result.at(-1) : result).rows;
  }

  /** `COPY … TO STDOUT`. Nothing else may be asked until it has ended. */
  copy(sql: string, what: string, seam: SeamFilter | null = null): CopyOut {
    const copy = new CopyOut(sql, (error) => readError(error, what, this.address.user), seam);
    this.#last = this.#last.then(() => {
      this.#client.query(copy);
      return copy.over;
    });
    return copy;
  }

  async end(): Promise<void> {
    if (this.#lost) return this.destroy();
    await this.#client.end().catch(() => {});
  }

  /** Without goodbye: for a connection in the midst of something. */
  destroy(): void {
    const { stream } = (this.#client as unknown as { connection: { stream: { destroy(): void } } })
      .connection;
    stream.destroy();
  }

  async #prepare(lockTimeoutMs: number): Promise<void> {
    const [row] = await this.query<{ version: string; encoding: string }>(
      `select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding`,
      'the server’s version',
    );
    if (Number(row!.version) < OLDEST_VERSION)
      throw new HoldfastError(
        'SOURCE_UNREADABLE',
        `The server is of version ${row!.version}; 13 is the oldest supported`,
        {
          hint: 'Upgrade the server, or back up the output of its own pg_dump through a source of kind stdin.',
        },
      );
    const settings: Record<string, string> = {
      search_path: '',
      datestyle: 'ISO',
      intervalstyle: 'postgres',
      timezone: 'UTC',
      extra_float_digits: '3',
      bytea_output: 'hex',
      xmloption: 'content',
      // A server that knows no encoding cannot promise UTF-8: its bytes come as they are.
      client_encoding: row!.encoding === 'SQL_ASCII' ? 'SQL_ASCII' : 'UTF8',
      row_security: 'off',
      lock_timeout: String(lockTimeoutMs),
      statement_timeout: '0',
      idle_in_transaction_session_timeout: '0',
      transaction_timeout: '0',
      // Rows without a key come in physical order, and always the same.
      synchronize_seqscans: 'off',
      max_parallel_workers_per_gather: '0',
      jit: 'off',
    };
    await this.query(
      'select set_config(name, s.value, false) from pg_settings join jsonb_each_text($1::jsonb) s(key, value) on s.key = lower(name)',
      'session settings',
      [JSON.stringify(settings)],
    );
  }
}

/** `prefer` tries TLS first and goes on without where the server has none, as libpq does. */
export async function connectClient(
  options: PostgresConnectionOptions,
  address: ServerAddress,
  password: string | null,
  extra: ExtraConfiguration = {},
): Promise<pg.Client> {
  const mode = address.host.startsWith('/') ? 'disable' : (options.tls?.mode ?? 'prefer');
  const ca = options.tls?.ca === undefined ? undefined : await certificate(options.tls.ca);
  try {
    return await attempt(address, password, sslFor(mode, ca), extra);
  } catch (error) {
    if (mode !== 'prefer' || !mayDoWithoutTls(error)) throw tlsOrConnectError(error, address, mode);
  }
  try {
    return await attempt(address, password, false, extra);
  } catch (error) {
    throw connectError(error, address);
  }
}

async function attempt(
  address: ServerAddress,
  password: string | null,
  ssl: Ssl,
  extra: ExtraConfiguration,
): Promise<pg.Client> {
  const client = new pg.Client({
    ...address,
    // Undefined would make the driver look for one itself.
    password: password ?? (() => ''),
    ssl,
    application_name: 'holdfast',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    ...extra,
  } as pg.ClientConfig);
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }
}

function sslFor(mode: TlsMode, ca: string | undefined): Ssl {
  if (mode === 'disable') return false;
  if (mode === 'verify-full') return { rejectUnauthorized: true, ca };
  // As libpq: with an authority at hand, `require` checks the chain, though not the name.
  if (mode === 'require' && ca !== undefined)
    return { rejectUnauthorized: true, ca, checkServerIdentity: () => undefined };
  return { rejectUnauthorized: false };
}

const NO_TLS = 'does not support SSL';

const mayDoWithoutTls = (error: unknown): boolean =>
  (error as Error).message.includes(NO_TLS) || (error as { code?: string }).code === '28000';

function tlsOrConnectError(error: unknown, address: ServerAddress, mode: TlsMode): HoldfastError {
  if (!(error as Error).message?.includes(NO_TLS)) return connectError(error, address);
  return new HoldfastError(
    'SOURCE_UNREADABLE',
    `The server at ${address.host}:${address.port} does not speak TLS`,
    {
      hint: `Set up TLS on the server, or choose another tls.mode than ${mode}.`,
      cause: error,
    },
  );
}

async function certificate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw invalid(`tls.ca: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
