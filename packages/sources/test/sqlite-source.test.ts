import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SourceObject, SourceSnapshot } from '@holdfast/contracts';
import { copySnapshot, readWhole } from '@holdfast/testing/copy-snapshot';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteSink, sqliteSource } from '../src/index.ts';
import { HeldFiles } from '../src/sqlite/held-files.ts';
import { copyThroughSqlite } from '../src/sqlite/private-copy.ts';
import { openReadView } from '../src/sqlite/read-view.ts';

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

const EVERYTHING = `
  PRAGMA page_size = 2048; PRAGMA encoding = 'UTF-16le'; PRAGMA user_version = -7; PRAGMA application_id = 1234567;
  CREATE TABLE plain (id INTEGER PRIMARY KEY AUTOINCREMENT, t TEXT COLLATE NOCASE, r REAL, b BLOB, n NUMERIC) STRICT;
  CREATE TABLE compact (a TEXT, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
  CREATE TABLE computed (a INTEGER, b INTEGER AS (a * 2) VIRTUAL, c INTEGER AS (a + 1) STORED, CHECK (a > 0));
  CREATE INDEX partial ON computed (c) WHERE a > 5;
  CREATE INDEX expression ON compact (lower(a) DESC);
  CREATE VIEW doubled AS SELECT b FROM computed;
  CREATE TRIGGER log AFTER INSERT ON computed BEGIN INSERT INTO compact VALUES ('trigger', new.a); END;
  CREATE VIRTUAL TABLE search USING fts5(body);
  CREATE VIRTUAL TABLE area USING rtree(id, x0, x1);
  CREATE TABLE child (p INTEGER REFERENCES plain ON DELETE CASCADE);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
    INSERT INTO computed (a) SELECT i FROM n;
  INSERT INTO search SELECT 'word number ' || a FROM computed;
  INSERT INTO area SELECT a, a, a + 1 FROM computed;
  ANALYZE;`.replace('n NUMERIC', 'n ANY');

const bytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));

async function open(): Promise<{ snapshot: SourceSnapshot; object: SourceObject }> {
  const snapshot = await sqliteSource({ path }).open();
  for await (const object of snapshot.objects()) return { snapshot, object };
  throw new Error('no object');
}

async function read(): Promise<Buffer> {
  const { snapshot, object } = await open();
  const reader = await object.open();
  const whole = await readWhole(reader, bytes(200_000));
  await snapshot.close();
  return Buffer.from(whole);
}

const coded = (code: string): unknown => expect.objectContaining({ code, hint: expect.any(String) });

test.each(['WAL', 'DELETE', 'TRUNCATE', 'PERSIST'])(
  'everything SQLite can hold comes back: %s',
  async (mode) => {
    const database = connect(`${EVERYTHING} PRAGMA journal_mode = ${mode};`);
    const body = Buffer.alloc(100_000, 7);
    database
      .prepare('INSERT INTO plain (t, r, b, n) VALUES (?, ?, ?, ?)')
      .run('Grüße\0end', Number.MIN_VALUE, body, null);
    const { snapshot, object } = await open();
    expect(object).toMatchObject({ kind: 'database', cut: { by: 'blocks', blockBytes: 2048 } });
    await copySnapshot(
      {
        ...snapshot,
        objects: async function* () {
          yield object;
        },
      },
      sqliteSink({ path: join(root, 'restored.db'), overwrite: false }),
    );
    const seen = Buffer.from(database.serialize());
    expect(readFileSync(join(root, 'restored.db')).equals(seen)).toBe(true);
    await snapshot.close();
    const restored = connect('', join(root, 'restored.db'));
    const one = (sql: string): unknown => Object.values(restored.prepare(sql).get() ?? {})[0];
    expect(one('PRAGMA integrity_check')).toBe('ok');
    expect(one('PRAGMA user_version')).toBe(-7);
    expect(one('PRAGMA encoding')).toBe('UTF-16le');
    expect(one("SELECT count(*) FROM search WHERE search MATCH 'number'")).toBe(400);
    expect(one("SELECT count(*) FROM compact WHERE a = 'trigger'")).toBe(400);
    restored.exec('INSERT INTO computed (a) VALUES (1000)');
    expect(one('SELECT max(b) FROM doubled')).toBe(2000);
  },
);

test('test() says what is there and leaves nothing behind', async () => {
  connect(`${EVERYTHING} PRAGMA journal_mode = WAL`).close();
  const before = readFileSync(path);
  const report = await sqliteSource({ path }).test();
  expect(report).toMatchObject({
    bytes: before.length,
    facts: {
      journalMode: 'wal',
      pageSize: 2048,
      pages: before.length / 2048,
      userVersion: -7,
      encoding: 'UTF-16le',
    },
  });
  expect(Number(report.facts.tables)).toBeGreaterThan(4);
  expect(readdirSync(root)).toEqual(['a.db']);
  expect(readFileSync(path).equals(before)).toBe(true);
});

describe('the write-ahead log', () => {
  const WAL = 'PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x)';

  test('that another process left when it crashed is part of the content', async () => {
    const writer = spawn(process.execPath, [
      '-e',
      `
      const d = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(path)});
      d.exec("${WAL}; INSERT INTO t VALUES ('only in the log')");
      process.kill(process.pid, 'SIGKILL');`,
    ]);
    await new Promise((resolve) => writer.once('exit', resolve));
    expect(existsSync(`${path}-wal`)).toBe(true);
    const before = readFileSync(path);
    writeFileSync(join(root, 'copy.db'), await read());
    expect(connect('', join(root, 'copy.db')).prepare('SELECT * FROM t').all()).toEqual([
      { x: 'only in the log' },
    ]);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('is not looked at once all of it is in the file and writers may start it over', async () => {
    const writer = connect(`${WAL}; INSERT INTO t VALUES (zeroblob(50000)); PRAGMA wal_checkpoint(PASSIVE)`);
    const seen = Buffer.from(writer.serialize());
    const { snapshot, object } = await open();
    writer.exec('DELETE FROM t; INSERT INTO t VALUES (randomblob(90000))');
    const whole = await readWhole(await object.open(), bytes(10_000));
    await snapshot.close();
    expect(seen.equals(whole)).toBe(true);
  });

  test('hides what was committed after the snapshot began, and checkpoints do not reach it', async () => {
    const writer = connect(`${WAL}; INSERT INTO t VALUES (zeroblob(50000))`);
    const seen = Buffer.from(writer.serialize());
    const { snapshot, object } = await open();
    writer.exec('DELETE FROM t; VACUUM; PRAGMA wal_checkpoint(PASSIVE)');
    const whole = await readWhole(await object.open(), bytes(10_000));
    await snapshot.close();
    expect(seen.equals(whole)).toBe(true);
  });

  test('with a byte that rotted is a problem, though the database is still copied', async () => {
    connect(`${WAL}; INSERT INTO t VALUES (zeroblob(50000)); INSERT INTO t VALUES (zeroblob(50000))`);
    const descriptor = openSync(`${path}-wal`, 'r+');
    writeSync(descriptor, Buffer.from([1]), 0, 1, 60_000);
    closeSync(descriptor);
    const { snapshot } = await open();
    expect(snapshot.problems).toEqual([
      expect.objectContaining({ message: expect.stringContaining('checksums') }),
    ]);
    await snapshot.close();
  });

  test('two snapshots in one process do not drop each other’s locks', async () => {
    const writer = connect(`${WAL}; INSERT INTO t VALUES (zeroblob(50000))`);
    const seen = Buffer.from(writer.serialize());
    const first = await open();
    const second = await open();
    await second.snapshot.close();
    writer.exec('INSERT INTO t VALUES (randomblob(50000))');
    // Starting the log over would overwrite frames of the first snapshot, were its lock gone. Another process tries,
    // since locks do not hold within one.
    const other = spawn(process.execPath, [
      '-e',
      `
      const d = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(path)});
      d.exec('PRAGMA wal_checkpoint(TRUNCATE)'); d.exec('INSERT INTO t VALUES (randomblob(200000))');`,
    ]);
    await new Promise((resolve) => other.once('exit', resolve));
    const whole = await readWhole(await first.object.open(), bytes(100_000));
    await first.snapshot.close();
    expect(seen.equals(whole)).toBe(true);
  });
});

test('a writer in rollback mode waits for the snapshot', async () => {
  const writer = connect('CREATE TABLE t (x); INSERT INTO t VALUES (1); PRAGMA busy_timeout = 0');
  const { snapshot } = await open();
  expect(() => writer.exec('INSERT INTO t VALUES (2)')).toThrow(/locked/);
  await snapshot.close();
  writer.exec('INSERT INTO t VALUES (2)');
});

test('a half-written transaction of a crashed writer is rolled back', async () => {
  connect('PRAGMA cache_size = 1; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))').close();
  const writer = spawn(process.execPath, [
    '-e',
    `
    const d = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(path)});
    d.exec('PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; UPDATE t SET x = randomblob(100000)');
    process.kill(process.pid, 'SIGKILL');`,
  ]);
  await new Promise((resolve) => writer.once('exit', resolve));
  expect(existsSync(`${path}-journal`)).toBe(true);
  writeFileSync(join(root, 'copy.db'), await read());
  const copy = connect('', join(root, 'copy.db'));
  expect(copy.prepare('SELECT x = zeroblob(100000) AS same FROM t').get()).toEqual({ same: 1 });
});

test('an empty file is an empty database', async () => {
  writeFileSync(path, '');
  expect(await read()).toEqual(Buffer.alloc(0));
});

test('a link stands for its file, whose log lies elsewhere', async () => {
  mkdirSync(join(root, 'real'));
  const real = join(root, 'real', 'b.db');
  connect('PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)', real);
  symlinkSync(real, path);
  writeFileSync(join(root, 'copy.db'), await read());
  expect(connect('', join(root, 'copy.db')).prepare('SELECT * FROM t').all()).toEqual([{ x: 1 }]);
});

describe('fingerprints', () => {
  const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2100));
  const fingerprint = async (): Promise<string | null> => {
    const { snapshot, object } = await open();
    await snapshot.close();
    return object.fingerprint;
  };

  test('stay while nothing changes, and tell each commit', { timeout: 20_000 }, async () => {
    const writer = connect('PRAGMA journal_mode = WAL; CREATE TABLE t (x); PRAGMA wal_checkpoint(TRUNCATE)');
    expect(await fingerprint()).toBeNull();
    await wait();
    const first = await fingerprint();
    expect(first).toEqual(expect.any(String));
    expect(await fingerprint()).toBe(first);
    // The database file is left alone: only the frames of the log tell.
    const stats = readFileSync(path);
    writer.exec('INSERT INTO t VALUES (1)');
    expect(readFileSync(path).equals(stats)).toBe(true);
    const second = await fingerprint();
    expect(second).not.toBe(first);
    writer.exec('INSERT INTO t VALUES (2)');
    expect(await fingerprint()).not.toBe(second);
    // Into the file, and the log away: read again once, then the same.
    writer.close();
    await wait();
    const third = await fingerprint();
    expect([first, second]).not.toContain(third);
    expect(await fingerprint()).toBe(third);
  });
});

test('a copy through SQLite has the same pages but for the schema cookie, and leaves no file', async () => {
  const database = connect(`${EVERYTHING} PRAGMA journal_mode = WAL; INSERT INTO computed (a) VALUES (999)`);
  mkdirSync(join(root, 'tmp'));
  const copy = await copyThroughSqlite(path, join(root, 'tmp'));
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  const whole = Buffer.alloc(copy.image.size);
  await copy.image.read(0, whole);
  copy.close();
  const seen = Buffer.from(database.serialize());
  expect(whole.subarray(100).equals(seen.subarray(100))).toBe(true);
  const differing = [...whole.subarray(0, 100).keys()].filter((i) => whole[i] !== seen[i]);
  expect(differing.every((i) => (i >= 24 && i < 28) || (i >= 40 && i < 44) || i >= 92)).toBe(true);
});

test('a file that takes the place of the database as the snapshot begins is noticed', async () => {
  connect('CREATE TABLE t (x)').close();
  connect('CREATE TABLE u (x)', join(root, 'b.db')).close();
  const files = new HeldFiles(path);
  renameSync(join(root, 'b.db'), path);
  await expect(openReadView(files)).rejects.toThrow(coded('SOURCE_CHANGED'));
  files.release();
});
