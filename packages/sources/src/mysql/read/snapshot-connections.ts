import { HoldfastError } from '@holdfast/contracts';
import { MysqlConnection, type OpenOptions } from '../connection.ts';
import type { MysqlConnectionOptions } from '../connection-options.ts';
import { serverErrno } from '../server-errors.ts';

/** As long as `mariadb-dump` would never wait, but long enough for a migration's last step. */
const TABLE_WAIT_SECONDS = 60;
/** For the moment in which commits wait for us: who cannot have it soon goes without. */
const PAUSE_WAIT_SECONDS = 2;
const BEGIN = 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY';
const ACCESS_DENIED = new Set([1044, 1045, 1142, 1227]);
const LOCK_TIMEOUT = 1205;
const SAVEPOINT = 'holdfast';

/** How commits are held back while several transactions begin. */
export interface Pause {
  readonly begin: readonly string[];
  readonly end: string;
}

/**
 * MariaDB's backup stages let everything run but the last step of commits, so that even statements which take hours do
 * not keep us waiting, nor others behind us. FLUSH TABLES WITH READ LOCK, all that MySQL has, waits for such statements
 * and holds up the rest meanwhile.
 */
export const BACKUP_STAGES: Pause = {
  begin: ['BACKUP STAGE START', 'BACKUP STAGE BLOCK_COMMIT'],
  end: 'BACKUP STAGE END',
};
export const READ_LOCK: Pause = { begin: ['FLUSH TABLES WITH READ LOCK'], end: 'UNLOCK TABLES' };

export interface ConnectionsOptions {
  readonly server: MysqlConnectionOptions;
  readonly count: number;
  readonly signal?: AbortSignal;
  /** For tests. Default: the stages where there are any. */
  readonly pause?: Pause;
}

/** Connections whose transactions all see the database as of one moment. */
export class SnapshotConnections {
  readonly #options: ConnectionsOptions;
  readonly #all: MysqlConnection[];
  readonly #idle: MysqlConnection[];
  readonly #waiting: { give: (connection: MysqlConnection) => void; fail: (error: unknown) => void }[] = [];
  #failure: HoldfastError | null = null;

  private constructor(options: ConnectionsOptions, all: MysqlConnection[]) {
    this.#options = options;
    this.#all = all;
    this.#idle = [...all];
  }

  /** Fewer than asked for where the rights for more are lacking, or the moment for it cannot be had. */
  static async open(options: ConnectionsOptions): Promise<SnapshotConnections> {
    const open: OpenOptions = { side: 'source', lockWaitSeconds: TABLE_WAIT_SECONDS, signal: options.signal };
    const all: MysqlConnection[] = [];
    try {
      all.push(await MysqlConnection.open(options.server, open));
      while (all.length < options.count) all.push(await MysqlConnection.open(options.server, open));
      for (const each of all) await setUp(each);
      if (!(await beginTogether(all, options))) {
        for (const surplus of all.splice(1)) await surplus.close();
        await all[0]!.run(BEGIN);
      }
      for (const each of all) await each.run(`SAVEPOINT ${SAVEPOINT}`);
      return new SnapshotConnections(options, all);
    } catch (error) {
      for (const each of all) each.destroy();
      throw error;
    }
  }

  get count(): number {
    return this.#all.length;
  }

  /** Waits for one that nobody uses. */
  async take(): Promise<MysqlConnection> {
    if (this.#failure) throw this.#failure;
    const idle = this.#idle.shift();
    if (idle) return idle;
    return new Promise((give, fail) => this.#waiting.push({ give, fail }));
  }

  /**
   * Gives it back, and frees the tables that it has read, so that migrations need not wait for the whole backup.
   *
   * @param busy a statement is still sending rows: it is ended first.
   */
  async giveBack(connection: MysqlConnection, busy: Promise<unknown> | null): Promise<void> {
    try {
      if (busy) await this.#interrupt(connection, busy);
      await connection.run(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    } catch (error) {
      return this.fail(HoldfastError.from(error, 'SOURCE_UNREADABLE', 'The connection was lost'));
    }
    const next = this.#waiting.shift();
    if (next) next.give(connection);
    else this.#idle.push(connection);
  }

  /** None of the connections can be replaced: a new one would see another moment. */
  fail(error: HoldfastError): void {
    this.#failure ??= error;
    for (const { fail } of this.#waiting.splice(0)) fail(this.#failure);
  }

  async close(): Promise<void> {
    this.fail(new HoldfastError('CANCELLED', 'The snapshot of the database is closed'));
    const idle = new Set(this.#idle);
    await Promise.all(this.#all.map((each) => (idle.has(each) ? each.close() : each.destroy())));
  }

  /** Ends the statement, not the transaction. */
  async #interrupt(connection: MysqlConnection, busy: Promise<unknown>): Promise<void> {
    const open: OpenOptions = { side: 'source', lockWaitSeconds: TABLE_WAIT_SECONDS };
    const other = await MysqlConnection.open(this.#options.server, open);
    try {
      await other.attempt(`KILL QUERY ${connection.driver.threadId}`);
      await busy;
    } finally {
      await other.close();
    }
  }
}

/**
 * With a binary log, MariaDB keeps the tables of a transaction from migrations until its end, even behind a ROLLBACK TO
 * SAVEPOINT, unless the session does not write to that log. Not every user may say so; then migrations wait.
 */
async function setUp(connection: MysqlConnection): Promise<void> {
  await connection.attempt('SET SESSION sql_log_bin = 0').catch(() => undefined);
  await connection.run('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
}

/** False, with nothing begun, when they cannot begin at one moment. */
async function beginTogether(all: readonly MysqlConnection[], options: ConnectionsOptions): Promise<boolean> {
  const [first] = all;
  if (all.length < 2 || !first) return false;
  const pause = options.pause ?? ((await hasStages(first)) ? BACKUP_STAGES : READ_LOCK);
  const holder = await MysqlConnection.open(options.server, {
    side: 'source',
    lockWaitSeconds: PAUSE_WAIT_SECONDS,
    signal: options.signal,
  });
  try {
    for (const statement of pause.begin) await holder.attempt(statement);
    await Promise.all(all.map((each) => each.run(BEGIN)));
    await holder.attempt(pause.end);
    await checkSameMoment(all);
    return true;
  } catch (error) {
    const errno = serverErrno(error);
    if (errno === LOCK_TIMEOUT || ACCESS_DENIED.has(errno)) return false;
    throw holder.error(error);
  } finally {
    // With it goes any lock that it still holds.
    await holder.close();
  }
}

/** MariaDB since 10.4.1. */
async function hasStages(connection: MysqlConnection): Promise<boolean> {
  const [row] = await connection.rows('SELECT VERSION() AS version');
  const [, major, minor] = /(\d+)\.(\d+).*MariaDB/.exec(row!.version!) ?? [];
  return Number(major) > 10 || (Number(major) === 10 && Number(minor) > 4);
}

/** MariaDB tells which position of its binary log a transaction's view belongs to: these must not differ. */
async function checkSameMoment(all: readonly MysqlConnection[]): Promise<void> {
  const positions = await Promise.all(
    all.map(async (each) => JSON.stringify(await each.rows("SHOW STATUS LIKE 'binlog_snapshot_%'"))),
  );
  if (new Set(positions).size > 1)
    throw new HoldfastError('SOURCE_CHANGED', 'The connections of one snapshot see different moments', {
      hint: 'Set connections: 1 for this source, and report this.',
      details: { positions },
    });
}
