import { closeSync, openSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backup } from 'node:sqlite';
import { HoldfastError, throwIfAborted } from '@holdfast/contracts';
import { openImmutable, ReadConnection, sqliteCode, sqliteError } from './connection.ts';
import { PageImage } from './page-image.ts';

const FULL = 13;
/** In one step, so that nothing of it happens on this thread. */
const ALL_PAGES = 0x7fff_ffff;

export interface PrivateCopy {
  readonly image: PageImage;
  close(): void;
}

/**
 * Copies the database through SQLite's own backup interface, for states in which we do not read past SQLite. One step,
 * so within one read transaction. The copy is the same database but for the schema cookie, which the interface
 * increments. It is checked, as the reason to be here may be a damaged log, and its file has no name once this returns.
 */
export async function copyThroughSqlite(
  path: string,
  temporaryDirectory: string = tmpdir(),
  signal?: AbortSignal,
): Promise<PrivateCopy> {
  throwIfAborted(signal);
  const directory = await mkdtemp(join(temporaryDirectory, 'holdfast-'));
  try {
    const copy = join(directory, 'copy');
    const connection = new ReadConnection(path);
    try {
      await connection.begin(signal);
      await backup(connection.database, copy, { rate: ALL_PAGES });
    } catch (error) {
      throw copyError(error, path, temporaryDirectory);
    } finally {
      connection.close();
    }
    const facts = check(copy, path);
    const descriptor = openSync(copy, 'r');
    const image = new PageImage({ database: descriptor, log: null, walPages: null, ...facts });
    return { image, close: () => closeSync(descriptor) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function copyError(error: unknown, path: string, temporaryDirectory: string): HoldfastError {
  if (sqliteCode(error) !== FULL) return sqliteError(error, path);
  return new HoldfastError('DISK_FULL', `No space in ${temporaryDirectory} for a copy of ${path}`, {
    hint: 'Free space there, or name another temporary directory.',
    cause: error,
  });
}

function check(copy: string, path: string): { pageSize: number; pageCount: number } {
  if (statSync(copy).size === 0) return { pageSize: 4096, pageCount: 0 };
  const database = openImmutable(copy);
  try {
    const value = (name: string): unknown => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    const verdict = value('integrity_check(1)');
    if (verdict !== 'ok') {
      throw new HoldfastError(
        'SOURCE_CORRUPT',
        `${path} fails SQLite's integrity check: ${String(verdict)}`,
        {
          hint: 'Restore it from an earlier snapshot, or try `sqlite3 FILE .recover`.',
        },
      );
    }
    return { pageSize: Number(value('page_size')), pageCount: Number(value('page_count')) };
  } catch (error) {
    throw sqliteError(error, path);
  } finally {
    database.close();
  }
}
