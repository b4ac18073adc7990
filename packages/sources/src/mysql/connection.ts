import type { Readable } from 'node:stream';
import { cancelled, type HoldfastError, throwIfAborted } from '@holdfast/contracts';
import mysql, { type Connection, type ResultSetHeader } from 'mysql2';
import { describeServer, driverOptions, type MysqlConnectionOptions, userOf } from './connection-options.ts';
import { type ErrorScene, mysqlError } from './server-errors.ts';

/** A row by the names of its columns, as text; what is no UTF-8 does not belong here. */
export type TextRow = Readonly<Record<string, string | null>>;

const NO_TLS = 'HANDSHAKE_NO_SSL_SUPPORT';
const LONG_SECONDS = 86_400;

/**
 * What must not depend on how the server is set up. Rows wait in the socket while the engine is busy elsewhere, so the
 * time limits that would cut the connection off are as long as they can be.
 */
const SESSION = [
  "sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
  "time_zone = '+00:00'",
  'autocommit = 1',
  'sql_quote_show_create = 1',
  'sql_select_limit = 18446744073709551615',
  `net_write_timeout = ${LONG_SECONDS}`,
  `net_read_timeout = ${LONG_SECONDS}`,
  `wait_timeout = ${LONG_SECONDS}`,
].map((each) => `SESSION ${each}`);

/** Of MariaDB or of MySQL, of some versions: set where they exist. */
const OPTIONAL_SESSION = ['max_statement_time = 0', 'max_execution_time = 0', 'idle_transaction_timeout = 0'];

export interface OpenOptions {
  readonly side: ErrorScene['side'];
  /** Default: the one of the options. Null: none. */
  readonly database?: string | null;
  /** Seconds that a statement waits for a table. */
  readonly lockWaitSeconds: number;
  readonly signal?: AbortSignal;
}

/** One connection, in a session whose settings are known. Statements run one after the other. */
export class MysqlConnection {
  /** For streaming, which the driver's promises do not do. */
  readonly driver: Connection;
  readonly scene: ErrorScene;
  #lost: unknown = null;

  private constructor(driver: Connection, scene: ErrorScene) {
    this.driver = driver;
    this.scene = scene;
    // Also an error between statements, such as a server that stops; the next statement reports it.
    driver.on('error', (error) => {
      this.#lost ??= error;
    });
  }

  /** SOURCE_UNREADABLE, TARGET_UNWRITABLE, CONFIG_INVALID, CANCELLED. */
  static async open(options: MysqlConnectionOptions, open: OpenOptions): Promise<MysqlConnection> {
    throwIfAborted(open.signal);
    const scene = sceneOf(options, open.side);
    const database = open.database === undefined ? options.database : (open.database ?? undefined);
    const settings = { ...driverOptions(options), database };
    const prefer = (options.tls?.mode ?? 'prefer') === 'prefer' && options.tls?.ca === undefined;
    const driver = await connect(settings)
      .catch((error: { code?: string }) => {
        if (!prefer || error.code !== NO_TLS) throw error;
        return connect({ ...settings, ssl: undefined });
      })
      .catch((error: unknown) => {
        throw mysqlError(error, scene);
      });
    const connection = new MysqlConnection(driver, scene);
    try {
      await connection.run(
        `SET ${[...SESSION, `SESSION lock_wait_timeout = ${open.lockWaitSeconds}`].join(', ')}`,
      );
      for (const setting of OPTIONAL_SESSION) await connection.#tryTo(`SET SESSION ${setting}`);
      throwIfAborted(open.signal);
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  /** @param object what the statement is about, for the error. */
  async rows(sql: string, object?: string): Promise<readonly TextRow[]> {
    const options = {
      sql,
      typeCast: (field: { buffer(): Buffer | null }) => field.buffer()?.toString('utf8') ?? null,
    };
    return (await this.#send(options, object)) as readonly TextRow[];
  }

  /** A statement that gives no rows. */
  async run(sql: string, object?: string): Promise<ResultSetHeader> {
    return (await this.#send({ sql }, object)) as ResultSetHeader;
  }

  /** LOAD DATA LOCAL, whose file is this stream. */
  async load(sql: string, file: () => Readable, object?: string): Promise<ResultSetHeader> {
    return (await this.#send({ sql, infileStreamFactory: file }, object)) as ResultSetHeader;
  }

  /** The driver's own error, for callers that know what to do about some. */
  async attempt(sql: string): Promise<unknown> {
    return this.#query({ sql });
  }

  /** Says goodbye; a connection in the middle of something is cut instead. */
  async close(): Promise<void> {
    if (this.#lost !== null) return this.destroy();
    await new Promise<void>((resolve) => {
      this.driver.end(() => resolve());
      setTimeout(resolve, 1000).unref();
    });
    this.destroy();
  }

  destroy(): void {
    this.driver.destroy();
  }

  error(error: unknown, object?: string): HoldfastError {
    return mysqlError(error, object === undefined ? this.scene : { ...this.scene, object });
  }

  async #send(options: object, object?: string): Promise<unknown> {
    try {
      return await this.#query(options);
    } catch (error) {
      throw this.error(error, object);
    }
  }

  #query(options: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== null) return reject(this.#lost);
      this.driver.query(options as mysql.QueryOptions, (error: unknown, result: unknown) =>
        error ? reject(error) : resolve(result),
      );
    });
  }

  async #tryTo(sql: string): Promise<void> {
    await this.#query({ sql }).catch(() => undefined);
  }
}

export const sceneOf = (options: MysqlConnectionOptions, side: ErrorScene['side']): ErrorScene => ({
  side,
  server: describeServer(options),
  database: options.database,
  user: userOf(options),
});

function connect(options: mysql.ConnectionOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const driver = mysql.createConnection(options);
    const failed = (error: unknown): void => {
      driver.destroy();
      reject(error);
    };
    driver.once('error', failed);
    driver.connect((error) => {
      if (error) return failed(error);
      driver.off('error', failed);
      resolve(driver);
    });
  });
}

/** Runs the work, and cuts the connection should the signal fire: the server then ends the statement. */
export async function cutOnAbort<T>(
  connections: readonly MysqlConnection[],
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!signal) return work();
  throwIfAborted(signal);
  const cut = (): void => {
    for (const each of connections) each.destroy();
  };
  signal.addEventListener('abort', cut, { once: true });
  try {
    return await work();
  } catch (error) {
    throw signal.aborted ? cancelled(signal) : error;
  } finally {
    signal.removeEventListener('abort', cut);
  }
}
