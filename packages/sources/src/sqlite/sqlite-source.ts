import { type BigIntStats, fstatSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { HoldfastError, type Source, type SourceSnapshot, throwIfAborted } from '@holdfast/contracts';
import { isSettled } from '../file/clock-granularity.ts';
import { readError } from '../file/system-errors.ts';
import { HEADER_BYTES, parseDatabaseHeader } from './database-header.ts';
import { reportDatabase } from './database-report.ts';
import { databaseSnapshot, OBJECT_PATH } from './database-snapshot.ts';
import { HeldFiles, readPiece } from './held-files.ts';
import { copyThroughSqlite } from './private-copy.ts';
import { openReadView } from './read-view.ts';

export interface SqliteSourceOptions {
  readonly path: string;
  /** Where a private copy goes in the rare states that need one; default the system's. */
  readonly temporaryDirectory?: string;
}

/** One object, `database`: the pages of an SQLite database as of one moment, while other processes write to it. */
export function sqliteSource(options: SqliteSourceOptions): Source {
  return {
    kind: 'sqlite',
    async test({ signal } = {}) {
      throwIfAborted(signal);
      return withFiles(options.path, (files) => reportDatabase(files, signal));
    },
    async open({ signal } = {}) {
      throwIfAborted(signal);
      const files = holdDatabase(options.path);
      try {
        return await openSnapshot(files, options, signal);
      } catch (error) {
        files.release();
        throw error;
      }
    },
  };
}

function holdDatabase(given: string): HeldFiles {
  let path: string;
  try {
    // SQLite puts -wal and -shm beside the file that a link points to.
    path = realpathSync(given);
    if (!statSync(path).isFile()) {
      const hint = 'Name the database file itself.';
      throw new HoldfastError('SOURCE_UNREADABLE', `${given} is not a file`, { hint });
    }
  } catch (error) {
    throw readError(error, given);
  }
  const files = new HeldFiles(path);
  try {
    const header = readPiece(files.database, 0, HEADER_BYTES);
    if (header.length > 0) parseDatabaseHeader(header, path);
  } catch (error) {
    files.release();
    throw HoldfastError.is(error) ? error : readError(error, given);
  }
  return files;
}

async function withFiles<T>(path: string, use: (files: HeldFiles) => Promise<T>): Promise<T> {
  const files = holdDatabase(path);
  try {
    return await use(files);
  } finally {
    files.release();
  }
}

async function openSnapshot(
  files: HeldFiles,
  options: SqliteSourceOptions,
  signal?: AbortSignal,
): Promise<SourceSnapshot> {
  const stats = fstatSync(files.database, { bigint: true });
  const fileState = fileFingerprint(stats, files);
  const view = sharesMemory(files.path) ? await openReadView(files, signal) : null;
  if (view?.kind === 'view') {
    const fingerprint = fileState && `${fileState}/${view.logState}`;
    return databaseSnapshot({ image: view.image, stats, fingerprint, problems: [] }, () => {
      view.connection.close();
      files.release();
    });
  }
  const copy = await copyThroughSqlite(files.path, options.temporaryDirectory, signal);
  const problems = view?.damaged ? [{ path: OBJECT_PATH, message: damage(files.path, view.reason) }] : [];
  return databaseSnapshot({ image: copy.image, stats, fingerprint: null, problems }, () => {
    copy.close();
    files.release();
  });
}

function damage(path: string, reason: string): string {
  return `${path}: ${reason}. It was copied as SQLite reads it; run PRAGMA integrity_check and a checkpoint on it.`;
}

/**
 * The content is the database file plus certain log frames. So equal state of the file (from before the view began) and
 * equal frames mean equal content. Times of the log would prove nothing: a commit shows in the shared index only,
 * after its frames were written and, seconds later perhaps, synced.
 */
function fileFingerprint(stats: BigIntStats, files: HeldFiles): string | null {
  if (!isSettled(stats)) return null;
  const header = readPiece(files.database, 0, HEADER_BYTES);
  const counter = header.length === HEADER_BYTES ? header.readUInt32BE(24) : 0;
  return ['sqlite1', stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs, counter].join('/');
}

/** File systems on which what one process maps another may not see by reading: NFS, SMB, CIFS, 9P, FUSE, Ceph, AFS. */
const REMOTE = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x65735546, 0x00c36400, 0x5346414f,
]);

function sharesMemory(path: string): boolean {
  return !REMOTE.has(statfsSync(path).type);
}
