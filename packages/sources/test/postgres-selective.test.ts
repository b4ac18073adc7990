import { decodeRowsDescription } from '@holdfast/formats/rows';
import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import type { MemorySourceObject } from '@holdfast/testing/memory-source';
import { memorySource } from '@holdfast/testing/memory-source';
import { dumpOf, firstDifference } from '@holdfast/testing/servers/postgres-dump';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { createTorture } from '@holdfast/testing/servers/postgres-torture';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type PutBackReport, putBackFamily } from '../src/postgres/restore/index.ts';
import { encodeTuple, fieldsOf } from '../src/rows/tuple-splitter.ts';
import { objectsOf } from './postgres-objects.ts';
import { coded, databases, restore, serverOptions } from './postgres-restore-helpers.ts';

const missing = await PostgresServer.missing();

const PEOPLE = `CREATE EXTENSION citext;
  CREATE TABLE people (name citext, id bigint GENERATED ALWAYS AS IDENTITY, email text NOT NULL DEFAULT 'nobody', phone text DEFAULT 'none',
    age int, note text, secret bytea NOT NULL, upper_email text GENERATED ALWAYS AS (upper(email)) STORED, PRIMARY KEY (name, id));
  INSERT INTO people (name, email, phone, age, note, secret) SELECT 'N' || i, 'e' || i, CASE WHEN i % 3 > 0 THEN 'p' || i END, i, 'n', '\\x00ff'
    FROM generate_series(1, 3000) i;
  CREATE UNIQUE INDEX ON people (email);
  CREATE TABLE orders (id serial PRIMARY KEY, who citext, number bigint, FOREIGN KEY (who, number) REFERENCES people (name, id));
  INSERT INTO orders (who, number) SELECT name, id FROM people;
  CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fired'; END $$;
  CREATE TRIGGER no_update BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION forbid();
  ALTER TABLE people ENABLE ALWAYS TRIGGER no_update`;
const DECLARED = { 'public.people': { families: { pii: ['email', 'phone'], secrets: ['secret'] } } };

describe.skipIf(missing !== null)('a part of a PostgreSQL snapshot', () => {
  let server: PostgresServer;
  let objects: MemorySourceObject[];
  let torture: MemorySourceObject[];
  beforeAll(async () => {
    server = await PostgresServer.start();
    await server.createDatabase('shop');
    await server.query(PEOPLE, 'shop');
    objects = await objectsOf(server, 'shop', DECLARED);
    await createTorture(server, 'torture');
    torture = await objectsOf(server, 'torture');
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  afterEach(async () => {
    await server.query('DROP DATABASE IF EXISTS back WITH (FORCE)');
  });

  const people = (database: string): Promise<unknown> =>
    server.query('SELECT *, xmin IS NULL AS x FROM people ORDER BY id', database);
  const names = async (sql: string): Promise<string[]> =>
    (await server.query(sql, 'back')).map((row) => String(Object.values(row)[0]));
  const tables = (): Promise<string[]> =>
    names(`SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384 ORDER BY 1`);

  test('families are joined again', async () => {
    await restore(server, objects, { jobs: 3 });
    expect(await people('back')).toEqual(await people('shop'));
    expect(firstDifference(await dumpOf(server, 'shop'), await dumpOf(server, 'back'))).toBeNull();
  });

  const changedTuples = (
    path: RegExp,
    change: (rows: (Uint8Array | null)[][]) => (Uint8Array | null)[][],
  ): MemorySourceObject[] =>
    objects
      .filter((object) => !(path.test(String(object.path)) && object.kind === 'rows-index'))
      .map((object) => {
        if (!path.test(String(object.path))) return object;
        const { columns } = decodeRowsDescription(object.attributes!.rows as Uint8Array);
        const rows = [...fieldsOf(object.content!, columns.length)];
        return { ...object, content: Buffer.concat(change(rows).map(encodeTuple)) };
      });

  test.each<[string, (rows: (Uint8Array | null)[][]) => (Uint8Array | null)[][]]>([
    ['lacks a row', (rows) => rows.slice(1)],
    ['is empty', () => []],
    ['has a row too many', (rows) => [...rows, [Buffer.from('zz'), rows[0]![1]!, rows[0]![2]!]]],
    ['has another key', ([first, ...rows]) => [[Buffer.from('zz'), first![1]!, first![2]!], ...rows]],
  ])('a family that %s is found out', async (_, change) => {
    await expect(restore(server, changedTuples(/family-secrets/, change))).rejects.toThrow(
      coded('FORMAT_INVALID', /families of table public.people/),
    );
    expect((await databases(server)).filter((name) => name.startsWith('back'))).toEqual([]);
  });

  test('a family is left out, and put back later', async () => {
    const sink = await restore(server, objects, { without: ['people.pii'] });
    expect(sink.notes).toEqual([
      'public.people: left out pii (email, phone)',
      'public.people: no longer NOT NULL: email',
    ]);
    const [counts] = await server.query(
      'SELECT count(*)::int, count(email)::int AS email, count(phone)::int AS phone, count(age)::int AS age, count(secret)::int AS secret FROM people',
      'back',
    );
    expect(counts).toEqual({ count: 3000, email: 0, phone: 0, age: 3000, secret: 3000 });
    // The defaults are there again.
    await server.query(`INSERT INTO people (name, secret) VALUES ('new', '\\x00')`, 'back');
    expect(await server.query("SELECT email, phone FROM people WHERE name = 'new'", 'back')).toEqual([
      { email: 'nobody', phone: 'none' },
    ]);
    // Meanwhile life goes on.
    await server.query(
      `DELETE FROM orders WHERE number <= 100; DELETE FROM people WHERE id <= 100; DELETE FROM people WHERE name = 'new';
      ALTER TABLE people DISABLE TRIGGER no_update; UPDATE people SET phone = 'fresh' WHERE id = 200; ALTER TABLE people ENABLE ALWAYS TRIGGER no_update`,
      'back',
    );
    expect(await putBack()).toEqual({ rows: 3000, matched: 2900, filled: 2899, notNull: [] });
    expect(await server.query('SELECT email, phone FROM people WHERE id = 200', 'back')).toEqual([
      { email: null, phone: 'fresh' },
    ]);
    expect(await putBack(true)).toEqual({ rows: 3000, matched: 2900, filled: 2900, notNull: ['email'] });
    const rest = 'SELECT * FROM people WHERE id > 100 ORDER BY id';
    expect(await server.query(rest, 'back')).toEqual(await server.query(rest, 'shop'));
    expect(await names(`SELECT tgenabled FROM pg_trigger WHERE tgname = 'no_update'`)).toEqual(['A']);
    expect(
      await names(
        `SELECT attnotnull FROM pg_attribute WHERE attrelid = 'people'::regclass AND attname IN ('email', 'phone') ORDER BY attnum`,
      ),
    ).toEqual(['true', 'false']);
  });

  async function putBack(replace = false, family = 'pii'): Promise<PutBackReport | null> {
    const sink = putBackFamily({
      ...serverOptions(server),
      database: 'back',
      table: 'people',
      family,
      replace,
    });
    await copySnapshot(await memorySource(objects).open(), sink, { bufferBytes: 10_000 });
    return sink.report;
  }

  test.each([
    ['ALTER TABLE people DROP CONSTRAINT people_pkey CASCADE', /primary key/],
    ['ALTER TABLE people DROP COLUMN phone', /no column phone/],
    [
      'ALTER TABLE people ALTER COLUMN phone TYPE varchar(9) USING NULL',
      /phone of type character varying\(9\)/,
    ],
    ['DROP TABLE people CASCADE', /is not there/],
  ])('a family does not go into another table: %s', async (change, message) => {
    await restore(server, objects, { without: ['public.people.pii'] });
    await server.query(change, 'back');
    await expect(putBack()).rejects.toThrow(coded('TARGET_UNWRITABLE', message));
    expect(await names("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'holdfast%'")).toEqual([]);
  });

  test('nothing is put back of a family that the snapshot does not have', async () => {
    await restore(server, objects);
    await expect(putBack(false, 'other')).rejects.toThrow(coded('NOT_FOUND'));
  });

  test.each([
    [{ only: [{ table: 'nobody' }] }, /no table nobody/],
    [{ only: [{ table: 'people', families: ['x'] }] }, /no family people.x/],
    [{ without: ['people.x'] }, /no family people.x/],
  ])('names that the snapshot does not have: %j', async (options, message) => {
    await expect(restore(server, objects, options)).rejects.toThrow(coded('NOT_FOUND', message));
  });

  test('one table, with what it needs and nothing else', async () => {
    await restore(server, objects, { only: [{ table: 'orders' }] });
    expect(await tables()).toEqual(['orders']);
    const all = 'SELECT * FROM orders ORDER BY id';
    expect(await server.query(all, 'back')).toEqual(await server.query(all, 'shop'));
    expect(
      await names("SELECT conname FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype <> 'n'"),
    ).toEqual(['orders_pkey']);
    expect(await server.query("INSERT INTO orders (who) VALUES ('x') RETURNING id", 'back')).toEqual([
      { id: 3001 },
    ]);
  });

  test('two tables, with the foreign key between them, and one family', async () => {
    await restore(server, objects, {
      only: [{ table: 'orders' }, { table: 'public.people', families: ['secrets'] }],
    });
    expect(await names("SELECT conname FROM pg_constraint WHERE contype = 'f'")).toEqual([
      'orders_who_number_fkey',
    ]);
    expect(await names('SELECT tgname FROM pg_trigger WHERE NOT tgisinternal')).toEqual(['no_update']);
    expect(
      await server.query(
        'SELECT count(email)::int AS email, count(secret)::int AS secret FROM people',
        'back',
      ),
    ).toEqual([{ email: 0, secret: 3000 }]);
  });

  // Every table of the torture database by itself: each must be restorable with what the archive says it needs.
  test('any table alone', { timeout: 120_000 }, async () => {
    const facts = JSON.parse(String(torture.find(({ path }) => path === '1-schema/facts')!.content));
    const kept = [
      'shapes.by_range',
      'shapes.grandchild',
      'shapes.city',
      'code.ruled',
      'code.secured',
      'kinds.composed',
      'extended.citext',
      'extended.booking',
      'shapes.generated',
      'shapes.text_key',
      'odd schema."with/all%41.table.with "quotes" / ünïcode \\ \'x\'',
    ];
    for (const { schema, name } of facts.tables as { schema: string; name: string }[]) {
      const table = `${schema}.${name}`;
      if (!kept.includes(table)) continue;
      await restore(server, torture, { only: [{ table }], overwrite: true });
      const ident = (text: string): string => `"${text.replaceAll('"', '""')}"`;
      const all = `SELECT t::text AS row FROM ${ident(schema)}.${ident(name)} t ORDER BY 1`;
      expect(await server.query(all, 'back'), table).toEqual(await server.query(all, 'torture'));
      expect(await names("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'holdfast%'")).toEqual([]);
    }
  });

  test('a partitioned table comes with its partitions, a partition without its siblings', async () => {
    await restore(server, torture, { only: [{ table: 'by_range' }] });
    expect(await tables()).toEqual([
      'shapes.by_range',
      'shapes.by_range_2025',
      'shapes.by_range_2026',
      'shapes.by_range_2026_a',
      'shapes.by_range_2026_rest',
      'shapes.by_range_rest',
    ]);
    await restore(server, torture, { only: [{ table: 'shapes.by_range_2026_a' }], overwrite: true });
    expect(await tables()).toEqual(['shapes.by_range', 'shapes.by_range_2026', 'shapes.by_range_2026_a']);
  });

  test('rows of partitions by the hash of an enum find their new place', async () => {
    await server.createDatabase('hashed');
    await server.query(
      `CREATE TYPE color AS ENUM (${Array.from({ length: 20 }, (_, i) => `'c${i}'`).join(', ')});
       CREATE TABLE boxes (id int, c color) PARTITION BY HASH (c);
       ${[0, 1, 2, 3].map((i) => `CREATE TABLE boxes_${i} PARTITION OF boxes FOR VALUES WITH (MODULUS 4, REMAINDER ${i});`).join(' ')}
       INSERT INTO boxes SELECT i, ('c' || i % 20)::color FROM generate_series(1, 400) i`,
      'hashed',
    );
    await restore(server, await objectsOf(server, 'hashed'));
    const all = 'SELECT * FROM boxes ORDER BY id';
    expect(await server.query(all, 'back')).toEqual(await server.query(all, 'hashed'));
    // Found by the hash, which prunes to the partition where it should be.
    expect(await server.query("SELECT count(*)::int FROM boxes WHERE c = 'c7'", 'back')).toEqual([
      { count: 20 },
    ]);
  });
});
