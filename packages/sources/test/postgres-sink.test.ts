import { HoldfastError, pathFromText } from '@holdfast/contracts';
import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import { type MemorySourceObject, memorySource } from '@holdfast/testing/memory-source';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { postgresSink } from '../src/postgres/restore/index.ts';
import { objectsOf } from './postgres-objects.ts';
import { coded, databases, restore, sinkOptions } from './postgres-restore-helpers.ts';

const missing = await PostgresServer.missing();

const SCHEMA = `CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL, at timestamptz, tags text[]);
  INSERT INTO users SELECT i, 'user' || i || E'\\t\\\\' || '@example.org', now(), ARRAY['a', NULL] FROM generate_series(1, 5000) i;
  CREATE TABLE notes (id bigserial PRIMARY KEY, body text, owner int REFERENCES users);
  INSERT INTO notes (body, owner) SELECT repeat(md5(i::text), 30), i % 5000 + 1 FROM generate_series(1, 20000) i;
  CREATE INDEX ON notes (owner);
  CREATE MATERIALIZED VIEW busy AS SELECT owner, count(*) FROM notes GROUP BY 1`;

const FACTS = `SELECT (SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM users u) AS users,
  (SELECT md5(string_agg(n::text, ',' ORDER BY id)) FROM notes n) AS notes, (SELECT count(*) FROM busy) AS busy,
  (SELECT last_value FROM notes_id_seq) AS last, (SELECT reltuples FROM pg_class WHERE relname = 'notes') AS analyzed`;

describe.skipIf(missing !== null)('the PostgreSQL sink', () => {
  let server: PostgresServer;
  let objects: MemorySourceObject[];
  let expected: unknown;
  beforeAll(async () => {
    server = await PostgresServer.start();
    await server.createDatabase('shop');
    await server.query(SCHEMA, 'shop');
    await server.query('ANALYZE', 'shop');
    objects = await objectsOf(server, 'shop');
    expected = await server.query(FACTS, 'shop');
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  afterEach(async () => {
    await server.query('DROP DATABASE IF EXISTS back WITH (FORCE)');
  });

  const facts = (): Promise<unknown> => server.query(FACTS, 'back');
  const marked = async (): Promise<void> => {
    await server.createDatabase('back');
    await server.query('CREATE TABLE precious (id int); CREATE TYPE mine AS ENUM ()', 'back');
  };
  const isMarked = async (): Promise<boolean> =>
    (await server.query("SELECT to_regclass('precious') IS NOT NULL AS there", 'back'))[0].there;

  test.each([3, 70_000, 3_000_000])('restores all, whatever the pieces: %i bytes', async (bufferBytes) => {
    // Three bytes at a time are slow: the first rows will do.
    const some = bufferBytes === 3 ? await smallObjects() : objects;
    await restore(server, some, { jobs: bufferBytes === 3 ? 1 : 3 }, bufferBytes);
    if (bufferBytes > 3) expect(await facts()).toEqual(expected);
    else
      expect(await server.query('SELECT * FROM t ORDER BY id', 'back')).toEqual([
        { id: 1, body: 'one\t' },
        { id: 2, body: null },
      ]);
  });

  async function smallObjects(): Promise<MemorySourceObject[]> {
    await server.createDatabase('small');
    await server.query(
      "CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t VALUES (1, E'one\\t'), (2, NULL)",
      'small',
    );
    return objectsOf(server, 'small');
  }

  test('one big table is loaded over several connections', async () => {
    const sink = postgresSink(sinkOptions(server, { jobs: 3 }));
    const copying = new Set<number>();
    const look = async (): Promise<void> => {
      for (const row of await server.query(
        "SELECT pid FROM pg_stat_activity WHERE datname LIKE 'back.%' AND query LIKE 'COPY %notes%'",
      ))
        copying.add(row.pid);
    };
    await sink.begin({ attributes: {} });
    for (const object of objects.toSorted((a, b) =>
      Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
    )) {
      const content = object.content!;
      const writer = await sink.create({
        path: pathFromText(String(object.path)),
        kind: object.kind!,
        attributes: object.attributes ?? {},
        size: content.length,
      });
      for (let at = 0; at < content.length; at += 700_000)
        await writer!.write(at, content.subarray(at, at + 700_000));
      if (String(object.path).includes('/notes/')) await look();
      await writer!.complete(content.length);
    }
    await sink.finish();
    // A third is begun on only while the others are busy, which on a quick server they may not be.
    expect(copying.size).toBeGreaterThan(1);
    expect(await facts()).toEqual(expected);
  });

  test('refuses a database with anything in it, and says what', async () => {
    await marked();
    await expect(restore(server, objects)).rejects.toThrow(
      coded('ALREADY_EXISTS', /table precious, type mine/),
    );
    expect(await isMarked()).toBe(true);
  });

  test.each([
    'CREATE SCHEMA mine',
    'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    'SELECT lo_create(0)',
    'CREATE PUBLICATION p',
    'CREATE EXTENSION citext',
    'CREATE DOMAIN d AS int',
    'CREATE SEQUENCE s',
  ])('such as by %s', async (sql) => {
    await server.createDatabase('back');
    await server.query(sql, 'back');
    await expect(restore(server, objects)).rejects.toThrow(coded('ALREADY_EXISTS'));
  });

  test('takes an empty database, and keeps what belongs to it as a whole', async () => {
    await server.query(`DO $$ BEGIN CREATE ROLE keeper; EXCEPTION WHEN duplicate_object THEN NULL; END $$`);
    await server.query('CREATE DATABASE back OWNER keeper CONNECTION LIMIT 7');
    await server.query(`COMMENT ON DATABASE back IS 'it''s mine'; REVOKE ALL ON DATABASE back FROM PUBLIC; GRANT CONNECT ON DATABASE back TO keeper, pg_monitor;
      ALTER DATABASE back SET search_path = "$user", public, 'a b'; ALTER ROLE keeper IN DATABASE back SET work_mem = '7MB'; ALTER DATABASE back SET app.mode = 'x'`);
    const properties = `SELECT pg_get_userbyid(datdba) AS owner, datconnlimit, datacl::text, shobj_description(oid, 'pg_database') AS comment,
      (SELECT array_agg(setrole::regrole::text || setconfig::text ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid) AS settings
      FROM pg_database d WHERE datname = 'back'`;
    const before = await server.query(properties);
    const sink = await restore(server, objects);
    expect(sink.notes).toEqual([]);
    expect(await server.query(properties)).toEqual(before);
    expect(await facts()).toEqual(expected);
  });

  test('makes no database when that is not wanted', async () => {
    await expect(restore(server, objects, { create: false })).rejects.toThrow(coded('NOT_FOUND'));
    expect(await databases(server)).not.toContain('back');
  });

  test('replaces a database when told to, at the end and at once', async () => {
    await marked();
    const sink = postgresSink(sinkOptions(server, { overwrite: true }));
    const finish = sink.finish.bind(sink);
    sink.finish = async (options) => {
      expect(await isMarked()).toBe(true);
      await finish(options);
    };
    await copySnapshot(await memorySource(objects).open(), sink, { bufferBytes: 100_000 });
    expect(await facts()).toEqual(expected);
    expect((await databases(server)).filter((name) => name.includes('holdfast'))).toEqual([]);
    await sink.abort();
    expect(await facts()).toEqual(expected);
  });

  test('does not end other sessions unless told to', async () => {
    await marked();
    const session = await server.connect('back');
    await expect(restore(server, objects, { overwrite: true })).rejects.toThrow(
      coded('TARGET_UNWRITABLE', /in use by postgres/),
    );
    expect((await session.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await restore(server, objects, { overwrite: true, terminateSessions: true });
    await expect(session.query('SELECT 1')).rejects.toThrow();
    await session.end().catch(() => {});
    expect(await facts()).toEqual(expected);
  });

  test('a session that comes meanwhile stops the swap, and the old database stays', async () => {
    await marked();
    const sink = postgresSink(sinkOptions(server, { overwrite: true }));
    let session: Awaited<ReturnType<PostgresServer['connect']>> | undefined;
    const finish = sink.finish.bind(sink);
    sink.finish = async (options) => {
      session = await server.connect('back');
      await finish(options);
    };
    await expect(
      copySnapshot(await memorySource(objects).open(), sink, { bufferBytes: 100_000 }),
    ).rejects.toThrow(coded('TARGET_UNWRITABLE', /in use/));
    await session?.end();
    expect(await isMarked()).toBe(true);
    expect((await databases(server)).filter((name) => name.includes('holdfast'))).toEqual([]);
  });

  test('shows nothing before the end, and leaves nothing when aborted', async () => {
    const sink = postgresSink(sinkOptions(server));
    const finish = sink.finish.bind(sink);
    sink.finish = async () => {
      expect(await databases(server)).not.toContain('back');
      throw new HoldfastError('CANCELLED', 'stopped by the test');
    };
    void finish;
    await expect(
      copySnapshot(await memorySource(objects).open(), sink, { bufferBytes: 100_000 }),
    ).rejects.toThrow(coded('CANCELLED'));
    await sink.abort();
    expect((await databases(server)).filter((name) => name.startsWith('back'))).toEqual([]);
  });

  test('a signal stops it, even within pg_restore', async () => {
    const sink = postgresSink(sinkOptions(server));
    const finish = sink.finish.bind(sink);
    sink.finish = async () => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 100);
      await finish({ signal: stop.signal });
    };
    await expect(
      copySnapshot(await memorySource(objects).open(), sink, { bufferBytes: 100_000 }),
    ).rejects.toThrow(coded('CANCELLED'));
    expect((await databases(server)).filter((name) => name.startsWith('back'))).toEqual([]);
  });

  test('takes over from a stalled run, which then fails', async () => {
    const stalled = postgresSink(sinkOptions(server));
    const finish = stalled.finish.bind(stalled);
    stalled.finish = async (options) => {
      await restore(server, objects);
      await finish(options);
    };
    await expect(
      copySnapshot(await memorySource(objects).open(), stalled, { bufferBytes: 100_000 }),
    ).rejects.toThrow(coded('TARGET_UNWRITABLE'));
    await stalled.abort();
    expect(await facts()).toEqual(expected);
  });

  test.each(['', '/etc/passwd', '../up', 'a//b', 'a\0b', 'a/'])(
    'refuses the unsafe path %j',
    async (path) => {
      const sink = postgresSink(sinkOptions(server));
      await sink.begin({ attributes: {} });
      const header = { path: pathFromText(path), kind: 'schema', attributes: {}, size: 1 };
      await expect(sink.create(header)).rejects.toThrow(coded('FORMAT_INVALID'));
      await sink.abort();
      await sink.abort();
    },
  );

  const changed = (path: RegExp, change: (object: MemorySourceObject) => Partial<MemorySourceObject>) =>
    objects.map((object) => (path.test(String(object.path)) ? { ...object, ...change(object) } : object));

  test.each<[string, () => MemorySourceObject[]]>([
    [
      'rows that end inside a row',
      () => changed(/users.*rows$/, ({ content }) => ({ content: content!.subarray(0, -3) })),
    ],
    [
      'rows that are none',
      () => changed(/users.*rows$/, ({ content }) => ({ content: Buffer.alloc(content!.length, 7) })),
    ],
    ['an index of other rows', () => changed(/users.*rows$/, () => ({ content: Buffer.alloc(0) }))],
    ['facts that are no JSON', () => changed(/facts/, () => ({ content: Buffer.from('{') }))],
    ['facts of nothing', () => changed(/facts/, () => ({ content: Buffer.from('{"encoding": 3}') }))],
    [
      'sequences that are none',
      () => changed(/sequences/, () => ({ content: Buffer.from('[{"schema": "a"}]') })),
    ],
    ['no schema', () => objects.filter(({ path }) => !String(path).includes('schema'))],
    ['an unknown object', () => changed(/facts/, () => ({ path: '1-schema/other' }))],
    ['rows without a description', () => changed(/users.*rows$/, () => ({ attributes: {} }))],
    ['an archive that does not say what wrote it', () => changed(/archive/, () => ({ attributes: {} }))],
  ])('refuses %s', async (_, damaged) => {
    await expect(restore(server, damaged())).rejects.toThrow(coded('FORMAT_INVALID'));
    expect((await databases(server)).filter((name) => name.startsWith('back'))).toEqual([]);
  });
});
