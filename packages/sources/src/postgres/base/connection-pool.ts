import { HoldfastError } from '@holdfast/contracts';
import { type Connect, RawConnection } from '../wal/wire/raw-connection.ts';

/** A few connections, opened when needed, each used by one caller at a time. */
export class ConnectionPool {
  readonly #connect: Connect;
  readonly #size: number;
  readonly #idle: RawConnection[] = [];
  readonly #all = new Set<RawConnection>();
  readonly #waiting: (() => void)[] = [];
  #opened = 0;
  #closed = false;

  constructor(connect: Connect, size: number) {
    this.#connect = connect;
    this.#size = size;
  }

  /** After a failure of the connection itself the pool makes another. */
  async use<T>(action: (connection: RawConnection) => Promise<T>): Promise<T> {
    const connection = await this.#take();
    let sound = false;
    try {
      const result = await action(connection);
      sound = true;
      return result;
    } catch (error) {
      // The server's refusals leave the connection as it was.
      sound = HoldfastError.is(error) && error.details.sqlState !== undefined;
      throw error;
    } finally {
      this.#giveBack(connection, sound);
    }
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#all) connection.close();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #take(): Promise<RawConnection> {
    for (;;) {
      if (this.#closed) throw new HoldfastError('SOURCE_CHANGED', 'The snapshot was closed');
      const idle = this.#idle.pop();
      if (idle) return idle;
      if (this.#opened < this.#size) return this.#open();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async #open(): Promise<RawConnection> {
    this.#opened += 1;
    try {
      const connection = await RawConnection.open(this.#connect, 'sql');
      this.#all.add(connection);
      if (this.#closed) connection.close();
      return connection;
    } catch (error) {
      this.#opened -= 1;
      this.#waiting.shift()?.();
      throw error;
    }
  }

  #giveBack(connection: RawConnection, sound: boolean): void {
    if (sound) this.#idle.push(connection);
    else {
      connection.close();
      this.#all.delete(connection);
      this.#opened -= 1;
    }
    this.#waiting.shift()?.();
  }
}
