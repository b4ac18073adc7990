import { cancelled, HoldfastError } from '@holdfast/contracts';
import type { RowsIndex } from '@holdfast/formats/rows';

/** The index of rows that may still be on their way. */
export class PendingIndex {
  /** Whether someone reads the rows. */
  begun = false;
  readonly #table: string;
  readonly #found: Promise<RowsIndex>;
  #resolve: (index: RowsIndex) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(table: string) {
    this.#table = table;
    this.#found = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Nobody need ask.
    this.#found.catch(() => undefined);
  }

  settle(index: RowsIndex): void {
    this.#resolve(index);
  }

  /** The rows will not be read to their end; too late, that means nothing. */
  giveUp(): void {
    this.#reject(this.#unread());
  }

  /** SOURCE_UNREADABLE when nobody has read the rows to their end, or does now; CANCELLED. */
  async wait(signal?: AbortSignal): Promise<RowsIndex> {
    if (!this.begun) throw this.#unread();
    if (!signal) return this.#found;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(cancelled(signal)), { once: true });
      this.#found.then(resolve, reject);
    });
  }

  #unread(): HoldfastError {
    return new HoldfastError(
      'SOURCE_UNREADABLE',
      `The rows of table ${this.#table} were not read to their end`,
    );
  }
}
