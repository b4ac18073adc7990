import { ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { endianness, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseDatabaseHeader } from '../../../../packages/sources/src/sqlite/database-header.ts';
import { type Checksum, walChecksum } from '../../../../packages/sources/src/sqlite/wal-checksum.ts';
import { readWalPages, type WalPages } from '../../../../packages/sources/src/sqlite/wal-frames.ts';
import { parseWalIndex, WAL_INDEX_BYTES } from '../../../../packages/sources/src/sqlite/wal-index.ts';
import { SMALL, type Target, Violation } from '../target.ts';
import { asBuffer } from './samples.ts';

const LITTLE = endianness() === 'LE';
const PAGE_BYTES = 512;
const LOG_HEADER_BYTES = 32;
const FRAME_BYTES = 24 + PAGE_BYTES;

/** What we read of a database past SQLite: files of an application that may be damaged, or somebody's. */
export const sqliteTargets: readonly Target[] = [
  {
    name: 'sqlite-header',
    seeds: () => [sample().header],
    refusals: ['SOURCE_CORRUPT'],
    attempt: (input) => parseDatabaseHeader(asBuffer(input), 'the database'),
    confirm({ pageSize }: { pageSize: number }) {
      if (pageSize < 512 || pageSize > 65_536 || !Number.isInteger(Math.log2(pageSize)))
        throw new Violation(`It takes pages of ${pageSize} bytes.`);
    },
    allocation: SMALL,
  },
  {
    name: 'sqlite-log-index',
    seeds: () => [sample().index],
    refusals: [],
    attempt: (input) => parseWalIndex(asBuffer(input)),
    repair: fitIndex,
    allocation: SMALL,
  },
  {
    name: 'sqlite-log',
    seeds: () => [Buffer.concat([sample().index, sample().log])],
    refusals: [],
    attempt: readLog,
    confirm: requireWithinLog as Target['confirm'],
    repair: fitLog,
    // It is read a mebibyte at a time.
    allocation: { base: 4 * 2 ** 20, perByte: 400 },
  },
];

interface Sample {
  readonly header: Buffer;
  readonly index: Buffer;
  readonly log: Buffer;
}

let made: Sample | null = null;

/** A database with a write-ahead log of some frames, several of them of one page. */
function sample(): Sample {
  made ??= makeSample();
  return made;
}

function makeSample(): Sample {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-fuzz-'));
  try {
    const path = join(directory, 'a.db');
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; CREATE TABLE t (a)`);
    for (let row = 0; row < 3; row++) database.exec(`INSERT INTO t VALUES ('${'x'.repeat(300)}')`);
    const read = (suffix: string, length?: number) => readFileSync(path + suffix).subarray(0, length);
    const files = { header: read('', 100), index: read('-shm', WAL_INDEX_BYTES), log: read('-wal') };
    database.close();
    return files;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

let logFile: number | null = null;

async function readLog(input: Uint8Array): Promise<WalPages | null> {
  const index = parseWalIndex(asBuffer(input.subarray(0, WAL_INDEX_BYTES)));
  if (index === null) return null;
  logFile ??= anonymousFile();
  ftruncateSync(logFile, 0);
  writeSync(logFile, input, WAL_INDEX_BYTES, input.length - WAL_INDEX_BYTES, 0);
  return readWalPages(logFile, index);
}

/** Gone when the process ends, however it does. */
function anonymousFile(): number {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-fuzz-'));
  const file = openSync(join(directory, 'log'), 'wx+');
  rmSync(directory, { recursive: true });
  return file;
}

function requireWithinLog(pages: WalPages | null, input: Uint8Array): void {
  if (pages === null) return;
  const { pageSize, pageCount } = parseWalIndex(asBuffer(input.subarray(0, WAL_INDEX_BYTES)))!;
  const logBytes = input.length - WAL_INDEX_BYTES;
  for (let i = 0; i < pages.count; i++) {
    const page = pages.pageAt(i);
    if (page < 1 || page > pageCount) throw new Violation(`It has page ${page} of ${pageCount}.`);
    if (i > 0 && page <= pages.pageAt(i - 1)) throw new Violation('Its pages do not ascend.');
    if (pages.positionAt(i) + pageSize > logBytes)
      throw new Violation('A page lies behind the end of the log.');
  }
}

/** Both copies of the header alike, with the checksum that belongs to it. */
function fitIndex(input: Uint8Array): Uint8Array {
  if (input.length < WAL_INDEX_BYTES) return input;
  const view = asBuffer(input);
  const [first, second] = walChecksum(view.subarray(0, 40), [0, 0], LITTLE);
  storeNative(view, first, 40);
  storeNative(view, second, 44);
  view.copyWithin(48, 0, 48);
  return input;
}

/** The chain of checksums through all whole frames, and an index that ends where it ends; now and then only that. */
function fitLog(input: Uint8Array): Uint8Array {
  const view = asBuffer(input);
  const log = view.subarray(WAL_INDEX_BYTES);
  if (log.length < LOG_HEADER_BYTES || (view[view.length - 1]! & 7) === 0) return fitIndex(input);
  const little = log.readUInt32BE(0) === 0x377f0682;
  const store = ([first, second]: Checksum, at: number) => {
    log.writeUInt32BE(first, at);
    log.writeUInt32BE(second, at + 4);
  };
  let sum = walChecksum(log.subarray(0, 24), [0, 0], little);
  store(sum, 24);
  for (let at = LOG_HEADER_BYTES; at + FRAME_BYTES <= log.length; at += FRAME_BYTES) {
    log.copy(log, at + 8, 16, 24);
    sum = walChecksum(log.subarray(at, at + 8), sum, little);
    sum = walChecksum(log.subarray(at + 24, at + FRAME_BYTES), sum, little);
    store(sum, at + 16);
  }
  log.copy(view, 32, 16, 24);
  storeNative(view, Math.floor((log.length - LOG_HEADER_BYTES) / FRAME_BYTES), 16);
  storeNative(view, sum[0], 24);
  storeNative(view, sum[1], 28);
  return fitIndex(input);
}

/** The index is in the byte order of the machine. */
function storeNative(view: Buffer, value: number, at: number): void {
  if (LITTLE) view.writeUInt32LE(value, at);
  else view.writeUInt32BE(value, at);
}
