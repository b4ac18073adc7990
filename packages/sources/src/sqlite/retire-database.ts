import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HoldfastError } from '@holdfast/contracts';
import { syncDirectory } from '../file/partial-file.ts';
import { writeError } from '../file/system-errors.ts';
import { sqliteCode } from './connection.ts';

/** Files beside a database that belong to its content, or index it. */
export const SIDE_FILES = ['-wal', '-journal', '-shm'] as const;

/**
 * Makes the old database at `path` one file without a log or journal, so that the rename which replaces it is the only
 * step: before it the old database is whole, after it the new one is, and never does an old log lie beside a new
 * database. SQLite does it, by leaving WAL mode; this also finds out whether anyone still uses it.
 *
 * TARGET_UNWRITABLE when the old database is in use.
 */
export async function retireDatabase(path: string): Promise<void> {
  if (existsSync(path)) foldLog(path);
  const left = SIDE_FILES.filter((suffix) => existsSync(path + suffix));
  if (left.length === 0) return;
  try {
    // Only what SQLite could not open comes here, or nothing but leftovers. Nobody can want a log without its database:
    // the database goes first.
    await rm(path, { force: true });
    await syncDirectory(dirname(path));
    for (const suffix of left) await rm(path + suffix, { force: true });
    await syncDirectory(dirname(path));
  } catch (error) {
    throw writeError(error, path);
  }
}

const CORRUPT = 11;
const NOT_A_DATABASE = 26;

function foldLog(path: string): void {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 2000 });
    // In rollback mode this is what finds a transaction under way.
    database.exec('BEGIN EXCLUSIVE; ROLLBACK');
    const mode = Object.values(database.prepare('PRAGMA journal_mode = DELETE').get() ?? {})[0];
    if (mode === 'delete') return;
    throw inUse(path);
  } catch (error) {
    if (HoldfastError.is(error)) throw error;
    const code = sqliteCode(error);
    if (code !== CORRUPT && code !== NOT_A_DATABASE) throw inUse(path, error);
  } finally {
    if (database?.isOpen) database.close();
  }
}

function inUse(path: string, cause?: unknown): HoldfastError {
  return new HoldfastError('TARGET_UNWRITABLE', `The database at ${path} is in use and cannot be replaced`, {
    hint: 'Stop the programs that use it, or restore to another name.',
    cause,
  });
}
