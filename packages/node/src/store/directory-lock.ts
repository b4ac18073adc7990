import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HoldfastError } from '@holdfast/contracts';

/**
 * Holds a directory for this process alone, until released or until the process ends, however it ends. SQLite's lock on
 * an empty database file is the portable way in Node to a lock that the operating system drops by itself; a file with
 * a process number would have to guess whether its writer still lives, and two guessers can both win.
 */
export function lockDirectory(directory: string): { release: () => void } {
  const path = join(directory, 'lock');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) {
      throw new HoldfastError('PEER_FAILED', `The directory ${directory} cannot be locked.`, {
        cause: error,
      });
    }
    throw new HoldfastError('BUSY', `Another process uses the directory ${directory}.`, {
      hint: 'Stop the other peer process, or give this one a directory of its own.',
      cause: error,
    });
  }
  const held = database;
  return { release: () => held.close() };
}

const SQLITE_BUSY = 5;
