import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { HoldfastError, throwIfAborted } from '@holdfast/contracts';

const BUSY = 5;
const LOCKED = 6;
const LOCK_PATIENCE_MS = 10_000;
const LOCK_POLL_MS = 20;

/** The primary result code (https://www.sqlite.org/rescode.html), or 0 for errors of another origin. */
export function sqliteCode(error: unknown): number {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : 0;
  return typeof code === 'number' ? code & 0xff : 0;
}

export function sqliteError(error: unknown, path: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = sqliteCode(error);
  const options = { cause: error, details: { sqlite: code } };
  if (code === 11 || code === 26) {
    const hint =
      'Check it with `sqlite3 FILE "PRAGMA integrity_check"`, or back it up as a file while nothing uses it.';
    return new HoldfastError('SOURCE_CORRUPT', `SQLite cannot make sense of ${path}: ${text}`, {
      ...options,
      hint,
    });
  }
  const hint =
    code === BUSY || code === LOCKED
      ? 'Another process keeps it locked (locking_mode=EXCLUSIVE, or a long write): end that and try again.'
      : 'Reading needs permission for the file, and to create -wal and -shm beside a database in WAL mode.';
  return new HoldfastError('SOURCE_UNREADABLE', `Cannot read SQLite database ${path}: ${text}`, {
    ...options,
    hint,
  });
}

/** For a file that nobody else uses: without locks, and without -wal and -shm files beside it. */
export function openImmutable(path: string): DatabaseSync {
  return new DatabaseSync(`${pathToFileURL(path).href}?immutable=1`, { readOnly: true });
}

/** A connection that never changes the database, and the one read transaction that it may hold. */
export class ReadConnection {
  readonly database: DatabaseSync;
  readonly #path: string;
  #pageCount: StatementSync | null = null;

  /** @param path without symbolic links. SOURCE_UNREADABLE, SOURCE_CORRUPT. */
  constructor(path: string) {
    this.#path = path;
    // A read-only connection to a WAL database leaves empty -wal and -shm files behind where there were none; a
    // writable one removes them as it closes. It also rolls back what a crashed writer left half done, which any
    // reader must. With a log present the read-only one is right: it never runs a checkpoint.
    const mode = existsSync(`${path}-wal`) ? 'ro' : 'rw';
    try {
      // Not the bare path: node:sqlite would create the file, should it just have gone away.
      this.database = new DatabaseSync(`${pathToFileURL(path).href}?mode=${mode}`, { timeout: 0 });
      this.database.exec('PRAGMA query_only = 1');
    } catch (error) {
      throw sqliteError(error, path);
    }
  }

  /** Begins a read transaction, waiting for locks. SOURCE_UNREADABLE, SOURCE_CORRUPT, CANCELLED. */
  async begin(signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + LOCK_PATIENCE_MS;
    for (;;) {
      throwIfAborted(signal);
      try {
        this.database.exec('BEGIN');
        // BEGIN alone takes no lock; this reads the header page and thereby fixes the view.
        this.pageCount();
        return;
      } catch (error) {
        this.rollback();
        const code = sqliteCode(error);
        if ((code !== BUSY && code !== LOCKED) || performance.now() > deadline)
          throw sqliteError(error, this.#path);
        await sleep(LOCK_POLL_MS);
      }
    }
  }

  rollback(): void {
    if (this.database.isTransaction) this.database.exec('ROLLBACK');
  }

  pageCount(): number {
    this.#pageCount ??= this.database.prepare('PRAGMA page_count');
    return Number(this.#pageCount.get()?.page_count);
  }

  /** The one value of a PRAGMA or a query with one column. */
  value(sql: string): string | number {
    const row = this.database.prepare(sql).get();
    const value = row === undefined ? '' : Object.values(row)[0];
    return typeof value === 'string' || typeof value === 'number' ? value : String(value);
  }

  close(): void {
    if (this.database.isOpen) this.database.close();
  }
}
