import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Attributes, pathFromText } from '@holdfast/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteSink } from '../src/index.ts';

let root = '';
let path = '';
let fresh: Buffer = Buffer.alloc(0);
const connections: DatabaseSync[] = [];
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-sqlite-sink-')));
  path = join(root, 'a.db');
  connect("CREATE TABLE t (x); INSERT INTO t VALUES ('new')", join(root, 'fresh.db')).close();
  fresh = readFileSync(join(root, 'fresh.db'));
  rmSync(join(root, 'fresh.db'));
});
afterEach(() => {
  for (const connection of connections.splice(0)) if (connection.isOpen) connection.close();
  rmSync(root, { recursive: true, force: true });
});

function connect(sql: string, file = path): DatabaseSync {
  const database = new DatabaseSync(file);
  connections.push(database);
  database.exec(sql);
  return database;
}

async function restore(
  content: Buffer,
  options: { overwrite?: boolean; attributes?: Attributes } = {},
): Promise<void> {
  const sink = sqliteSink({ path, overwrite: options.overwrite ?? false });
  try {
    await sink.begin({ attributes: {} });
    const { attributes = {} } = options;
    const header = { path: pathFromText('database'), kind: 'database', attributes, size: content.length };
    const writer = await sink.create(header);
    await writer?.write(0, content);
    await writer?.complete(content.length);
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

const rows = (): unknown => {
  const database = connect('');
  const all = database.prepare('SELECT x FROM t').all();
  database.close();
  return all;
};
const coded = (code: string): unknown => expect.objectContaining({ code });
const OLD_WITH_LOG =
  "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x); INSERT INTO t VALUES ('old')";

/** An old database whose process died: its log holds all of it. */
function abandonedDatabase(): void {
  const writer = connect(OLD_WITH_LOG, join(root, 'live.db'));
  for (const suffix of ['', '-wal'])
    writeFileSync(path + suffix, readFileSync(join(root, `live.db${suffix}`)));
  writer.close();
  rmSync(join(root, 'live.db'));
}

test('permissions come back, and are private until then', async () => {
  await restore(fresh, {
    attributes: { mode: 0o640, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  });
  expect(statSync(path).mode & 0o7777).toBe(0o640);
  rmSync(path);
  await restore(fresh);
  expect(statSync(path).mode & 0o7777).toBe(0o600);
});

test('an empty database comes back', async () => {
  await restore(Buffer.alloc(0));
  expect(statSync(path).size).toBe(0);
});

describe('what SQLite could not open is not put in place', () => {
  test.each<[string, (whole: Buffer) => Buffer]>([
    ['no database', () => Buffer.alloc(8192, 7)],
    ['part of a page', (whole) => whole.subarray(0, whole.length - 1)],
    ['fewer pages than its header says', (whole) => whole.subarray(0, 4096)],
    [
      'a schema full of zeros',
      (whole) => Buffer.concat([whole.subarray(0, 100), Buffer.alloc(whole.length - 100)]),
    ],
  ])('%s', async (_, change) => {
    await expect(restore(change(fresh))).rejects.toThrow(coded('FORMAT_INVALID'));
    expect(readdirSync(root)).toEqual([]);
  });

  test('nothing at all', async () => {
    const sink = sqliteSink({ path, overwrite: false });
    await sink.begin({ attributes: {} });
    await expect(sink.finish()).rejects.toThrow(coded('FORMAT_INVALID'));
    await sink.abort();
  });
});

describe('an old log beside the target', () => {
  test.each(['-wal', '-journal', '-shm'])('is refused without overwriting: %s', async (suffix) => {
    writeFileSync(path + suffix, 'x');
    await expect(restore(fresh)).rejects.toThrow(coded('ALREADY_EXISTS'));
    expect(readdirSync(root)).toEqual([`a.db${suffix}`]);
  });

  test('is folded into its database before that is replaced', async () => {
    abandonedDatabase();
    await restore(fresh, { overwrite: true });
    expect(readdirSync(root)).toEqual(['a.db']);
    expect(readFileSync(path).equals(fresh)).toBe(true);
    expect(rows()).toEqual([{ x: 'new' }]);
  });

  test('goes away even if its database is beyond repair, or gone', async () => {
    writeFileSync(path, Buffer.alloc(4096, 9));
    for (const suffix of ['-wal', '-journal', '-shm']) writeFileSync(path + suffix, 'x');
    await restore(fresh, { overwrite: true });
    expect(readdirSync(root)).toEqual(['a.db']);
    rmSync(path);
    writeFileSync(`${path}-wal`, 'x');
    await restore(fresh, { overwrite: true });
    expect(readdirSync(root)).toEqual(['a.db']);
    expect(rows()).toEqual([{ x: 'new' }]);
  });

  test('and its database stay as they were when the restore fails', async () => {
    abandonedDatabase();
    await expect(restore(Buffer.alloc(4096, 1), { overwrite: true })).rejects.toThrow(
      coded('FORMAT_INVALID'),
    );
    expect(rows()).toEqual([{ x: 'old' }]);
  });
});

test.each([OLD_WITH_LOG, "CREATE TABLE t (x); INSERT INTO t VALUES ('old'); BEGIN IMMEDIATE"])(
  'a database in use is not replaced: %s',
  { timeout: 20_000 },
  async (sql) => {
    const user = connect(sql);
    await expect(restore(fresh, { overwrite: true })).rejects.toThrow(coded('TARGET_UNWRITABLE'));
    if (user.isTransaction) user.exec('ROLLBACK');
    expect(user.prepare('SELECT x FROM t').all()).toEqual([{ x: 'old' }]);
    expect(existsSync(`${path}.holdfast-partial`)).toBe(false);
  },
);

test('a tree or a second object does not fit into one file', async () => {
  const sink = sqliteSink({ path, overwrite: false });
  await sink.begin({ attributes: {} });
  const header = { path: pathFromText('database'), kind: 'database', attributes: {}, size: 0 };
  await expect(sink.create({ ...header, kind: 'directory', size: null })).rejects.toThrow(
    coded('FORMAT_INVALID'),
  );
  await expect(sink.create({ ...header, kind: 'file' })).rejects.toThrow(coded('FORMAT_INVALID'));
  await expect(sink.create({ ...header, attributes: { mode: 1e9 } })).rejects.toThrow(
    coded('FORMAT_INVALID'),
  );
  await sink.create(header);
  await expect(sink.create({ ...header, path: pathFromText('e') })).rejects.toThrow(coded('FORMAT_INVALID'));
  await sink.abort();
});
