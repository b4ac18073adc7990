import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HoldfastError } from '@holdfast/contracts';
import { isLocked } from './sqlite-errors.ts';

export interface VaultLock {
  /** Idempotent. */
  release(): void;
}

/** Commands that only note something in passing hold the lock for some milliseconds; whoever comes meanwhile waits. */
const PATIENCE_MS = 500;

/** Collecting a connection as garbage closes it, which would end the lock of whoever did not keep what `lockVault` gave. */
const held = new Set<DatabaseSync>();

/**
 * At most one process at a time writes to a vault. The lock is an exclusive transaction on a database of its own: the
 * operating system ends it with the process, however that dies, so there are no stale locks to break.
 * Fails with BUSY (details: `pid` of the holder, where known) or NOT_FOUND for a missing directory.
 * @param patience milliseconds to wait for another holder, during which this thread does nothing else
 */
export function lockVault(directory: string, patience = PATIENCE_MS): VaultLock {
  // Nothing else in this process may open this file: closing any descriptor of it would drop the POSIX lock.
  const lockPath = join(directory, 'vault.lock');
  const pidPath = join(directory, 'vault.pid');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(lockPath, { timeout: patience });
    database.exec('begin exclusive');
    // The lock file cannot be read while it is locked, hence another one. It means nothing without the lock.
    writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    if (database?.isOpen) database.close();
    throw isLocked(error) ? busy(directory, readPid(pidPath)) : unusable(directory, error);
  }
  const connection = database;
  held.add(connection);
  return {
    release() {
      held.delete(connection);
      if (connection.isOpen) connection.close();
    },
  };
}

function readPid(path: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

const busy = (directory: string, pid: number | null): HoldfastError =>
  new HoldfastError(
    'BUSY',
    `The vault ${directory} is in use by ${pid === null ? 'another process' : `process ${pid}`}.`,
    {
      hint: 'Wait until it has finished, or stop it.',
      details: pid === null ? {} : { pid },
    },
  );

const unusable = (directory: string, cause: unknown): HoldfastError =>
  new HoldfastError('NOT_FOUND', `The vault ${directory} cannot be locked.`, {
    hint: 'Check that the directory exists and that you may write to it.',
    cause,
  });
