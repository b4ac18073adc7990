import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readWalPages } from '../src/sqlite/wal-frames.ts';
import { parseWalIndex, WAL_INDEX_BYTES, type WalIndex } from '../src/sqlite/wal-index.ts';

let directory: string;
let database: DatabaseSync;
let log: number;
let index: WalIndex;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  const path = join(directory, 'a.db');
  database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)');
  log = openSync(`${path}-wal`, 'r');
  index = parseWalIndex(readFileSync(`${path}-shm`).subarray(0, WAL_INDEX_BYTES))!;
});
afterEach(() => {
  closeSync(log);
  database.close();
  rmSync(directory, { recursive: true });
});

it('finds the pages in the log', async () => {
  expect((await readWalPages(log, index))?.count).toBe(2);
});

it('makes no room for frames that the log cannot have, whatever a damaged index counts', async () => {
  for (const maxFrame of [index.maxFrame + 1, 2 ** 24, 2 ** 31, 2 ** 32 - 1]) {
    const before = process.memoryUsage().arrayBuffers;
    expect(await readWalPages(log, { ...index, maxFrame })).toBeNull();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 23);
  }
});
