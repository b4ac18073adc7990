import { fstatSync } from 'node:fs';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { HoldfastError, throwIfAborted } from '@holdfast/contracts';
import { ReadConnection, sqliteError } from './connection.ts';
import { type HeldFiles, readPiece } from './held-files.ts';
import { PageImage } from './page-image.ts';
import { readWalPages, type WalPages } from './wal-frames.ts';
import { parseWalIndex, WAL_INDEX_BYTES, type WalIndex } from './wal-index.ts';

/** Each takes some 20 µs, so that even a writer without pause leaves a gap for one of them. */
const ATTEMPTS = 2000;
const YIELD_EVERY = 50;

export interface ReadView {
  readonly kind: 'view';
  readonly connection: ReadConnection;
  readonly image: PageImage;
  /** Which log frames belong to the content: `salts:frame:checksum`; `-` when the database file has it all. */
  readonly logState: string;
}

/** A state whose rules we do not know: the database must be copied through SQLite. */
export interface Unusual {
  readonly kind: 'unusual';
  readonly reason: string;
  /** Something is broken, and people should know even if SQLite can still read it. */
  readonly damaged: boolean;
}

/**
 * A view of the database at one moment, held by a read transaction, whose pages we read past SQLite from the files.
 *
 * Why no page can change under it: without a log, the transaction's SHARED lock keeps every writer from the file. With
 * a log, see `logPages`.
 */
export async function openReadView(files: HeldFiles, signal?: AbortSignal): Promise<ReadView | Unusual> {
  const connection = new ReadConnection(files.path);
  try {
    const held = await holdTransaction(files, connection, signal);
    if ('image' in held) return { kind: 'view', connection, ...held };
    connection.close();
    return held;
  } catch (error) {
    connection.close();
    throw sqliteError(error, files.path);
  }
}

interface Descriptors {
  readonly log: number;
  readonly index: number;
}

type Held = Pick<ReadView, 'image' | 'logState'> | Unusual;

async function holdTransaction(
  files: HeldFiles,
  connection: ReadConnection,
  signal?: AbortSignal,
): Promise<Held> {
  let descriptors: Descriptors | null = null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt % YIELD_EVERY === YIELD_EVERY - 1) await yieldToOthers();
    throwIfAborted(signal);
    const before = descriptors && readIndex(descriptors.index);
    await connection.begin(signal);
    if (!files.isCurrent()) throw replaced(files.path);
    const after = descriptors && readIndex(descriptors.index);
    if (connection.value('PRAGMA journal_mode') !== 'wal') return fileView(files, connection);
    if (before !== null && after !== null && before.header.equals(after.header)) {
      // Once more, so that `after.backfilled` too is known to be of this generation of the log.
      const again = descriptors && readIndex(descriptors.index);
      if (again?.header.equals(after.header))
        return logView(files, connection, descriptors!.log, after, signal);
    }
    connection.rollback();
    // From the first read to the end of the connection its SHARED lock on the database keeps -wal and -shm from
    // being replaced, so these descriptors stay the right ones.
    descriptors ??= openLog(files);
    if (descriptors === null) return unusual('there is no shared index (-shm) beside the write-ahead log');
  }
  return unusual('the write-ahead log changes too fast');
}

function unusual(reason: string, damaged = false): Unusual {
  return { kind: 'unusual', reason, damaged };
}

function fileView(files: HeldFiles, connection: ReadConnection): Held {
  const pageCount = connection.pageCount();
  const pageSize = Number(connection.value('PRAGMA page_size'));
  checkLength(files, pageCount, pageSize);
  const image = new PageImage({ database: files.database, log: null, walPages: null, pageSize, pageCount });
  return { image, logState: '-' };
}

async function logView(
  files: HeldFiles,
  connection: ReadConnection,
  log: number,
  index: WalIndex,
  signal?: AbortSignal,
): Promise<Held> {
  const pageCount = connection.pageCount();
  const pageSize = Number(connection.value('PRAGMA page_size'));
  if (index.maxFrame > 0 && (index.pageSize !== pageSize || index.pageCount !== pageCount)) {
    return unusual('the shared index of the write-ahead log does not fit the database');
  }
  const walPages = await logPages(log, index, signal);
  if (walPages === undefined) return unusual('the write-ahead log fails its checksums', true);
  if (walPages === null) checkLength(files, pageCount, pageSize);
  const image = new PageImage({ database: files.database, log, walPages, pageSize, pageCount });
  return { image, logState: walPages === null ? '-' : logState(index) };
}

/**
 * The pages to take from the log: null for none, undefined when the log is not what the index says.
 *
 * The index was the same before and after our transaction began, so `index.maxFrame` is where the transaction's view
 * ends. A transaction holds one of five read locks (https://www.sqlite.org/walformat.html#wal_locks).
 * - Lock 0 is taken only if all frames are backfilled. It keeps checkpoints from writing to the database file, but
 *   not writers from starting the log over. Then the file alone is our view, and the log must not be looked at.
 * - Locks 1 … 4 carry a mark ≤ maxFrame. They keep the log from starting over, and checkpoints from writing frames
 *   past the mark to the file; what they do write are pages that we take from the log.
 * `backfilled` only grows until the log starts over, which would show in the header. So below maxFrame now means below it
 * then: we hold one of 1 … 4. If it equals maxFrame, the file has every frame of our view, whichever lock we hold, and
 * no later frame can come to it.
 */
async function logPages(
  log: number,
  index: WalIndex,
  signal?: AbortSignal,
): Promise<WalPages | null | undefined> {
  if (index.maxFrame === 0 || index.backfilled >= index.maxFrame) return null;
  return (await readWalPages(log, index, signal)) ?? undefined;
}

function replaced(path: string): HoldfastError {
  return new HoldfastError('SOURCE_CHANGED', `${path} was replaced by another file as the snapshot began`, {
    hint: 'Try again.',
  });
}

function openLog(files: HeldFiles): Descriptors | null {
  try {
    return { log: files.open('-wal'), index: files.open('-shm') };
  } catch {
    // No shared index: a connection in exclusive mode keeps it in its own memory.
    return null;
  }
}

function readIndex(descriptor: number): WalIndex | null {
  return parseWalIndex(readPiece(descriptor, 0, WAL_INDEX_BYTES));
}

function logState(index: WalIndex): string {
  return `${index.salts.toString('hex')}:${index.maxFrame}:${index.frameChecksum.join('.')}`;
}

function checkLength(files: HeldFiles, pageCount: number, pageSize: number): void {
  const size = Number(fstatSync(files.database).size);
  // The last page may be a free one that was never written.
  if (size >= (pageCount - 1) * pageSize) return;
  throw new HoldfastError('SOURCE_CORRUPT', `${files.path} is shorter than its header says`, {
    hint: 'It was cut off, perhaps by an interrupted copy. Restore it, or try `sqlite3 FILE .recover`.',
    details: { size, pageCount, pageSize },
  });
}
