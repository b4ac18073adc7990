import { MysqlConnection } from '../connection.ts';
import type { MysqlConnectionOptions } from '../connection-options.ts';

const WAIT_SECONDS = 30;
/** Nothing can be there already, nothing refers to what will not come, and a check may be older than its rows. */
const LOAD_SESSION = [
  'SET SESSION unique_checks = 0, SESSION foreign_key_checks = 0',
  'SET SESSION max_error_count = 65535',
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
];
/** MariaDB's alone. */
const OPTIONAL = ['SET SESSION check_constraint_checks = 0'];

/** Connections that load rows. While the server still works on one table, the next can come through another. */
export class LoadLanes {
  readonly #options: MysqlConnectionOptions;
  readonly #count: number;
  readonly #idle: MysqlConnection[] = [];
  readonly #all: MysqlConnection[] = [];
  readonly #running = new Set<Promise<void>>();
  #failure: unknown = null;

  constructor(options: MysqlConnectionOptions, count: number) {
    this.#options = options;
    this.#count = count;
  }

  /** Waits for one to be free. Fails when an earlier table's rows did. */
  async take(signal?: AbortSignal): Promise<MysqlConnection> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const idle = this.#idle.pop();
      if (idle) return idle;
      if (this.#all.length < this.#count) return this.#open(signal);
      await Promise.race(this.#running);
    }
  }

  giveBack(connection: MysqlConnection): void {
    this.#idle.push(connection);
  }

  /** Goes on with the work while others follow; its failure comes up later. */
  background(connection: MysqlConnection, work: Promise<void>): void {
    const running: Promise<void> = work
      .then(
        () => this.giveBack(connection),
        (error) => {
          this.#failure ??= error;
        },
      )
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** All work is done. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#failure) throw this.#failure;
  }

  destroy(): void {
    for (const each of this.#all) each.destroy();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((each) => each.close()));
  }

  async #open(signal?: AbortSignal): Promise<MysqlConnection> {
    const connection = await MysqlConnection.open(this.#options, {
      side: 'target',
      database: null,
      lockWaitSeconds: WAIT_SECONDS,
      signal,
    });
    this.#all.push(connection);
    for (const statement of LOAD_SESSION) await connection.run(statement);
    for (const statement of OPTIONAL) await connection.attempt(statement).catch(() => undefined);
    return connection;
  }
}
