import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readWhole } from '@holdfast/testing/copy-snapshot';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteSource } from '../src/index.ts';

let root = '';
let path = '';
const connections: DatabaseSync[] = [];
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-sqlite-')));
  path = join(root, 'a.db');
});
afterEach(() => {
  for (const connection of connections.splice(0)) if (connection.isOpen) connection.close();
  rmSync(root, { recursive: true, force: true });
});

/** Open until the end of the test, or until the test closes it. */
function connect(sql: string, file = path): DatabaseSync {
  const database = new DatabaseSync(file);
  connections.push(database);
  database.exec(sql);
  return database;
}

const bytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));

async function read(): Promise<Buffer> {
  const snapshot = await sqliteSource({ path }).open();
  const parts: Uint8Array[] = [];
  for await (const object of snapshot.objects())
    parts.push(await readWhole(await object.open(), bytes(200_000)));
  await snapshot.close();
  return Buffer.concat(parts);
}

const coded = (code: string): unknown => expect.objectContaining({ code, hint: expect.any(String) });

describe('what is not a sound database', () => {
  test.each<[string, string, () => void]>([
    ['SOURCE_UNREADABLE', 'nothing', () => undefined],
    ['SOURCE_UNREADABLE', 'a directory', () => mkdirSync(path)],
    ['SOURCE_CORRUPT', 'text', () => writeFileSync(path, 'hello '.repeat(1000))],
    [
      'SOURCE_CORRUPT',
      'noise, as an encrypted database is',
      () => writeFileSync(path, Buffer.alloc(8192, 0xa5)),
    ],
    ['SOURCE_CORRUPT', 'half a header', () => writeFileSync(path, 'SQLite format 3\0')],
    [
      'SOURCE_CORRUPT',
      'a page size of 3',
      () => {
        connect('CREATE TABLE t (x)').close();
        const descriptor = openSync(path, 'r+');
        writeSync(descriptor, Buffer.from([0, 3]), 0, 2, 16);
        closeSync(descriptor);
      },
    ],
    [
      'SOURCE_CORRUPT',
      'a file that was cut off',
      () => {
        connect('CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))').close();
        truncateSync(path, 40_000);
      },
    ],
    [
      'SOURCE_CORRUPT',
      'a broken schema',
      () => {
        connect('CREATE TABLE t (x)').close();
        const whole = readFileSync(path);
        whole.write('CREATE TABEL', whole.indexOf('CREATE TABLE'), 'latin1');
        writeFileSync(path, whole);
      },
    ],
  ])('%s for %s', async (code, _, make) => {
    make();
    await expect(sqliteSource({ path }).open()).rejects.toThrow(coded(code));
    await expect(sqliteSource({ path }).test()).rejects.toThrow(coded(code));
  });

  test('bytes after the last page are not part of it', async () => {
    connect('CREATE TABLE t (x)').close();
    const whole = readFileSync(path);
    appendFileSync(path, Buffer.alloc(4096, 1));
    expect((await read()).equals(whole)).toBe(true);
  });
});

test('a database that stays locked is unreadable, and says why', { timeout: 30_000 }, async () => {
  connect('CREATE TABLE t (x)').close();
  connect('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  await expect(sqliteSource({ path }).open()).rejects.toThrow(coded('SOURCE_UNREADABLE'));
});

test('waiting for a lock ends with the signal', async () => {
  connect('CREATE TABLE t (x)').close();
  connect('BEGIN EXCLUSIVE');
  const signal = AbortSignal.timeout(100);
  await expect(sqliteSource({ path }).open({ signal })).rejects.toThrow(
    expect.objectContaining({ code: 'CANCELLED' }),
  );
});
