import { displayPath, isRowReader, MAX_ROW_BYTES, type SourceObject } from '@holdfast/contracts';
import { decodeRowsDescription, decodeRowsIndex, type RowsDescription } from '@holdfast/formats/rows';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LARGE_OBJECT_PAGE } from '../../src/postgres/large-objects.ts';
import type { PostgresSourceOptions } from '../../src/postgres/options.ts';
import { postgresSource } from '../../src/postgres/postgres-source.ts';
import { parseFacts, parseSequences } from '../../src/postgres/schema-facts.ts';
import {
  countRows,
  fieldsOf,
  optionsFor,
  type ReadObject,
  rawFieldsOf,
  readSnapshot,
} from './read-snapshot.ts';

const description = ({ object }: ReadObject): RowsDescription =>
  decodeRowsDescription(object.attributes.rows as Uint8Array);

describe.each([15, 13] as const)('rows of PostgreSQL %i', async (major) => {
  const missing = await PostgresServer.missing(major);
  if (missing) {
    test.skip(missing);
    return;
  }
  let server: PostgresServer;
  let databases = 0;
  beforeAll(async () => {
    server = await PostgresServer.start({ major });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const create = async (sql: string): Promise<string> => {
    const database = `rows${databases++}`;
    await server.createDatabase(database);
    await server.query(sql, database);
    return database;
  };
  const read = async (database: string, options: Partial<PostgresSourceOptions> = {}) =>
    readSnapshot(await postgresSource({ ...(await optionsFor(server, database)), ...options }).open());
  const rowsOf = (found: Map<string, ReadObject>, place: string): ReadObject =>
    found.get(`2-rows/${place}/rows`)!;

  test('every kind of table that has rows of its own, and no other', async () => {
    const database = await create(`
      create schema other; create table other.plain (id int primary key); insert into other.plain values (1);
      create table parent (id int primary key, v text); create table child (extra text) inherits (parent);
      insert into parent values (1, 'p'); insert into child values (2, 'c', 'x');
      create table parts (id int, at date, primary key (id, at)) partition by range (at);
      create table parts_a partition of parts for values from ('2026-01-01') to ('2026-02-01');
      create table parts_rest partition of parts default;
      insert into parts values (1, '2026-01-05'), (2, '2030-01-01');
      create unlogged table loose (id int primary key); insert into loose values (7);
      create view looking as select * from parent; create materialized view kept as select * from parent;
      create foreign data wrapper w; create server s foreign data wrapper w; create foreign table far (a int) server s;
    `);
    const found = await read(database);
    const places = Array.from(found.keys()).filter((path) => path.endsWith('/rows'));
    expect(places).toEqual(
      [
        'other/plain',
        'public/child',
        'public/loose',
        'public/parent',
        'public/parts_a',
        'public/parts_rest',
      ].map((place) => `2-rows/${place}/main/all/rows`),
    );
    expect(rawFieldsOf(rowsOf(found, 'public/parent/main/all').content)).toHaveLength(1);
    expect(rawFieldsOf(rowsOf(found, 'public/parts_a/main/all').content)).toHaveLength(1);
    const facts = parseFacts(found.get('1-schema/facts')!.content);
    expect(facts.tables.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'plain r',
      'child r',
      'far f',
      'loose r',
      'parent r',
      'parts p',
      'parts_a r',
      'parts_rest r',
    ]);
    expect(facts.materializedViews).toEqual([{ schema: 'public', name: 'kept' }]);
  });

  test('rows by the primary key, else a unique key that is never null, else as they lie', async () => {
    const database = await create(`
      create table by_primary (v text, b int, a int, primary key (a, b));
      insert into by_primary values ('x', 2, 1), ('y', 1, 2), ('z', 1, 1);
      create table by_unique (n int unique, u int not null, v text, w int not null default 1); create unique index a_part on by_unique (w) where u > 20; create unique index on by_unique (u) include (v);
      create unique index on by_unique (v, u) where u > 0;
      insert into by_unique values (1, 30, 'a'), (null, 10, 'b'), (2, 20, 'c');
      create table by_none (n int unique, v int); insert into by_none values (3, 1), (null, 2), (1, 3);
      create table by_generated (a int, g int generated always as (a * 2) stored primary key); insert into by_generated values (2), (1);
    `);
    const found = await read(database, { include: ['public.*'] });
    const ints = (place: string): number[][] =>
      rawFieldsOf(rowsOf(found, `public/${place}/main/all`).content).map((row) =>
        row.filter((field) => field?.length === 4).map((field) => field!.readInt32BE()),
      );
    expect(ints('by_primary')).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ]);
    expect(description(rowsOf(found, 'public/by_primary/main/all'))).toMatchObject({
      keyColumns: 2,
      columns: [
        { name: 'a', type: 'integer', typeId: 23, encoding: 'binary', notNull: true },
        { name: 'b' },
        { name: 'v', type: 'text', typeId: 25, notNull: false },
      ],
    });
    expect(ints('by_unique').map(([u]) => u)).toEqual([10, 20, 30]);
    expect(description(rowsOf(found, 'public/by_unique/main/all')).keyColumns).toBe(1);
    expect(ints('by_none').map((row) => row.at(-1))).toEqual([1, 2, 3]);
    expect(description(rowsOf(found, 'public/by_none/main/all')).keyColumns).toBe(0);
    // A generated column is not kept, so it orders nothing.
    expect(description(rowsOf(found, 'public/by_generated/main/all'))).toMatchObject({
      keyColumns: 0,
      columns: [{ name: 'a' }],
    });
  });

  test('values as the server writes them under fixed settings, whatever its own are', async () => {
    const database = await create(`
      create type mood as enum ('sad', 'ok'); create domain positive as int check (value > 0);
      create domain twice as positive; create type pair as (a int, b text); create type span as range (subtype = float8);
      create table texts (id int primary key, m mood, p pair, r span, t timestamptz, i interval, b bytea, f float8, ms mood[], x xml);
      insert into texts values (1, 'ok', row(1, 'a"b'), '[1,2)', '2026-11-30 12:00:00.123456+02', '1 mon -3 days 04:05:06.7', '\\x00ff',
        0.1::float8 + 0.2, '{sad,NULL}', '<a>&amp;</a>'), (2, null, null, null, 'infinity', null, null, 'NaN', null, null);
      create table domains (id positive primary key, t twice); insert into domains values (5, 6);
      alter database rows${databases} set datestyle to 'SQL, DMY'; alter database rows${databases} set intervalstyle to 'iso_8601';
      alter database rows${databases} set timezone to 'Asia/Tokyo'; alter database rows${databases} set extra_float_digits to -5;
      alter database rows${databases} set bytea_output to 'escape'; alter database rows${databases} set client_encoding to 'LATIN1';
    `);
    const found = await read(database);
    const texts = rowsOf(found, 'public/texts/main/all');
    expect(fieldsOf(texts.content)).toEqual([
      [
        '1',
        'ok',
        '(1,"a""b")',
        '[1,2)',
        '2026-11-30 10:00:00.123456+00',
        '1 mon -3 days +04:05:06.7',
        '\\x00ff',
        '0.30000000000000004',
        '{sad,NULL}',
        '<a>&amp;</a>',
      ],
      ['2', null, null, null, 'infinity', null, null, 'NaN', null, null],
    ]);
    expect(description(texts).columns.map(({ typeId, encoding }) => [typeId, encoding])).toEqual(
      [23, 0, 0, 0, 1184, 1186, 17, 701, 0, 142].map((typeId) => [typeId, 'text']),
    );
    const domains = rowsOf(found, 'public/domains/main/all');
    expect(description(domains).columns).toMatchObject([
      { type: 'public.positive', typeId: 23, encoding: 'binary' },
      { type: 'public.twice', typeId: 23, encoding: 'binary' },
    ]);
    expect(rawFieldsOf(domains.content)).toEqual([[Buffer.from([0, 0, 0, 5]), Buffer.from([0, 0, 0, 6])]]);
  });

  test('windows and families hold every row once, null, infinite and ancient times too', async () => {
    const database = await create(`
      create table events (id int primary key, note text, at timestamptz, secret text);
      insert into events select i, 'n' || i, '2026-10-31 23:00:00+00'::timestamptz + i * interval '1 minute', 's' || i from generate_series(1, 100) i;
      insert into events values (-1, 'none', null, 's'), (-2, 'inf', 'infinity', 's'), (-3, '-inf', '-infinity', 's'), (-4, 'bc', '0044-03-15 BC', 's'),
        (-5, 'far', '12026-01-01', 's'), (-6, 'end', '9999-12-31 23:59:59.999999+00', 's'), (-7, 'first', '0001-01-01 00:00:00+00', 's');
      create table days (id int primary key, d date); insert into days values (1, '2026-11-30'), (2, '2026-12-07'), (3, null), (4, '2027-01-01'), (5, '0001-01-01'), (6, '9999-12-31'), (7, '10000-01-02'), (8, '10000-01-03'), (9, '5874897-12-31'), (10, '4713-01-01 BC'), (11, 'infinity'), (12, '-infinity');
      create table hours (id int primary key, t timestamp); insert into hours values (1, '2026-11-30 00:00'), (2, '2026-12-01'), (3, '2026-11-30 23:59:59.999999');
      create table still (id int primary key, t timestamp, v text);
    `);
    const found = await read(database, {
      families: { events: { pii: ['secret'] }, still: { v: ['v'] } },
      time: {
        events: 'at',
        'public.days': { column: 'd', window: 'week' },
        hours: { column: 't', window: 'day' },
        still: 't',
      },
    });
    const windows = (place: string): string[] =>
      Array.from(found.keys()).flatMap((path) =>
        path.startsWith(`2-rows/public/${place}/`) && path.endsWith('/rows') ? [path.split('/')[4]!] : [],
      );
    expect(windows('events/main')).toEqual([
      '0000',
      '0001-01',
      '2026-10',
      '2026-11',
      '9999-12',
      'later',
      'none',
    ]);
    expect(windows('events/family-pii')).toEqual(windows('events/main'));
    expect(windows('days/main')).toEqual([
      '0000',
      '0001-W01',
      '2026-W49',
      '2026-W50',
      '2026-W53',
      '9999-W52',
      'later',
      'none',
    ]);
    const days = windows('days/main').map((label) =>
      rawFieldsOf(rowsOf(found, `public/days/main/${label}`).content),
    );
    expect(days.map((rows) => rows.length)).toEqual([2, 1, 1, 1, 1, 2, 3, 1]);
    expect(windows('hours/main')).toEqual(['2026-11-30', '2026-12-01']);
    expect(rawFieldsOf(rowsOf(found, 'public/hours/main/2026-11-30').content)).toHaveLength(2);
    expect(rawFieldsOf(rowsOf(found, 'public/hours/main/2026-12-01').content)).toHaveLength(1);
    expect(windows('still/main')).toEqual(['all']);
    expect(windows('still')).toHaveLength(1);
    expect(rowsOf(found, 'public/still/main/all').object.size).toBe(0);
    const counts = windows('events/main').map((label) => {
      const main = rowsOf(found, `public/events/main/${label}`);
      const pii = rowsOf(found, `public/events/family-pii/${label}`);
      const keys = rawFieldsOf(main.content).map(([id]) => id!.readInt32BE());
      expect(keys).toEqual(keys.toSorted((a, b) => a - b));
      expect(rawFieldsOf(pii.content).map(([id]) => id!.readInt32BE())).toEqual(keys);
      expect(description(pii).columns.map((column) => column.name)).toEqual(['id', 'secret']);
      expect(description(main).columns.map((column) => column.name)).toEqual(['id', 'note', 'at']);
      expect(main.object.label).toEqual({
        name: `public.events.main.${label}`,
        kind: 'temporal',
        group: `public.events.${label}`,
      });
      expect(pii.object.label).toEqual({
        name: `public.events.family-pii.${label}`,
        kind: 'column',
        group: `public.events.${label}`,
      });
      return keys.length;
    });
    expect(counts).toEqual([2, 1, 59, 41, 1, 2, 1]);
    expect(description(rowsOf(found, 'public/events/main/2026-10')).window).toEqual({
      label: '2026-10',
      column: 'at',
      from: '2026-10-01 00:00:00+00',
      to: '2026-11-01 00:00:00+00',
    });
    const facts = parseFacts(found.get('1-schema/facts')!.content);
    expect(facts.tables.find(({ name }) => name === 'events')).toMatchObject({
      families: { pii: ['secret'] },
      time: { column: 'at', window: 'month' },
    });
  });

  test('large tables in ranges of the key are the same as in one go', async () => {
    const database = await create(`
      create table big (id uuid primary key, n int, at timestamptz, pad text);
      insert into big select md5(i::text)::uuid, i, '2026-01-01'::timestamptz + i * interval '40 seconds', repeat(md5(i::text), 6) from generate_series(1, 150000) i;
      create table flat (id int primary key, m name, pad text); insert into flat select i, 'r' || i, repeat(md5(i::text), 6) from generate_series(1, 150000) i;
      create table ordered (id bigint primary key, at timestamptz, pad text);
      insert into ordered select i, '2026-01-01'::timestamptz + i * interval '40 seconds', repeat(md5(i::text), 6) from generate_series(1, 150000) i;
    `);
    const options = { ...(await optionsFor(server, database)), connections: 3, time: { ordered: 'at' } };
    const found = await readSnapshot(await postgresSource(options).open());
    for (const table of ['big', 'flat']) {
      const { content, object } = rowsOf(found, `public/${table}/main/all`);
      const rows = rawFieldsOf(content);
      const format = description(rowsOf(found, `public/${table}/main/all`)).columns[0]!.encoding;
      const [expected] = await server.query(
        `select count(*)::int as n, sum(length(pad))::int as bytes from ${table}`,
        database,
      );
      expect(rows).toHaveLength(expected.n);
      expect(rows.reduce((sum, row) => sum + row.at(-1)!.length, 0)).toBe(expected.bytes);
      const keys = rows.map(([key]) => (format === 'text' ? Number(key) : key!.toString('hex')));
      for (let i = 1; i < keys.length; i++)
        if (!(keys[i - 1]! < keys[i]!)) expect.fail(`row ${i} is out of order`);
      expect(object.label).toEqual({ name: `public.${table}.main.all`, kind: 'row', group: null });
      const index = decodeRowsIndex(found.get(`2-rows/public/${table}/main/all/rows-index`)!.content);
      expect(index.rows).toBe(expected.n);
      for (const { offset, row, key } of index.samples) {
        expect(Buffer.from(key).subarray(2)).toEqual(content.subarray(offset + 2, offset + key.length));
        expect(rows[row]![0]!.equals(Buffer.from(key).subarray(6))).toBe(true);
      }
    }
    const months = Array.from(found.keys()).filter((path) => /ordered.*\/rows$/.test(path));
    expect(months).toHaveLength(3);
    expect(months.reduce((sum, path) => sum + rawFieldsOf(found.get(path)!.content).length, 0)).toBe(150_000);
    // Readers that were opened and left in the middle give their connections back.
    const snapshot = await postgresSource(options).open();
    let seen = 0;
    for await (const object of snapshot.objects()) {
      if (object.kind !== 'rows') continue;
      if (displayPath(object.path).includes('/flat/')) {
        seen += await countRows(object);
        continue;
      }
      const reader = await object.open();
      if (!isRowReader(reader)) throw new Error('Not a reader of rows.');
      expect((await reader.readRows(new Uint8Array(MAX_ROW_BYTES))).kind).toBe('rows');
      await reader.close();
    }
    await snapshot.close();
    expect(seen).toBe(150_000);
  });

  test('objects may be read in another order than they are listed in, by one connection', async () => {
    const database = await create(
      ['a', 'b', 'c', 'd']
        .map(
          (name) =>
            `create table ${name} (id int primary key, pad text); insert into ${name} select i, repeat('${name}', 1000) from generate_series(1, 15000) i;`,
        )
        .join(' '),
    );
    const snapshot = await postgresSource({ ...(await optionsFor(server, database)), connections: 1 }).open();
    const objects: SourceObject[] = [];
    for await (const object of snapshot.objects()) if (object.kind === 'rows') objects.push(object);
    for (const object of objects.toReversed()) expect(await countRows(object)).toBe(15_000);
    await snapshot.close();
  });

  test('what is said of a partitioned table holds for its partitions', async () => {
    const database = await create(`
      create table logs (id int, at timestamptz, who text, primary key (id, at)) partition by range (at);
      create table logs_a partition of logs for values from ('2026-01-01') to ('2026-03-01') partition by range (at);
      create table logs_a1 partition of logs_a for values from ('2026-01-01') to ('2026-03-01');
      create table logs_b partition of logs default; create table other (id int primary key);
      insert into logs values (1, '2026-01-05', 'a'), (2, '2026-02-05', 'b'), (3, '2027-02-05', 'c');
    `);
    const places = async (options: Partial<PostgresSourceOptions>): Promise<string[]> =>
      Array.from((await read(database, options)).keys()).flatMap((path) =>
        path.endsWith('/rows') ? [path.split('/').slice(2, 5).join('/')] : [],
      );
    expect(
      await places({
        include: ['logs'],
        time: { logs: 'at', logs_b: { column: 'at', window: 'day' } },
        families: { logs: { pii: ['who'] } },
      }),
    ).toEqual([
      'logs_a1/family-pii/2026-01',
      'logs_a1/family-pii/2026-02',
      'logs_a1/main/2026-01',
      'logs_a1/main/2026-02',
      'logs_b/family-pii/2027-02-05',
      'logs_b/main/2027-02-05',
    ]);
    expect(await places({ exclude: ['logs_a'] })).toEqual(['logs_b/main/all', 'other/main/all']);
    await expect(places({ time: { logs: 'att' } })).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', hint: 'Did you mean at?' }),
    );
  });

  test('tables of an extension are its own, but for what users configure there', async () => {
    const database = await create(`
      create table settings (id int primary key, v text); create table internals (id int primary key); create sequence counter; create sequence kept_counter;
      insert into settings values (1, 'shipped'), (1000, 'mine'), (1001, 'mine'); insert into internals values (1);
      alter extension plpgsql add table settings; alter extension plpgsql add table internals;
      alter extension plpgsql add sequence counter; alter extension plpgsql add sequence kept_counter;
      update pg_extension set extconfig = array['settings'::regclass::oid, 'kept_counter'::regclass::oid], extcondition = array['where id >= 1000', '']
      where extname = 'plpgsql'`);
    const found = await read(database);
    expect(Array.from(found.keys()).filter((path) => path.endsWith('/rows'))).toEqual([
      '2-rows/public/settings/main/all/rows',
    ]);
    const rows = rawFieldsOf(rowsOf(found, 'public/settings/main/all').content);
    expect(rows.map(([id]) => id!.readInt32BE())).toEqual([1000, 1001]);
    expect(parseSequences(found.get('4-sequences')!.content).map(({ name }) => name)).toEqual([
      'kept_counter',
    ]);
  });

  test('rows longer than a row may be come in pieces', async () => {
    const database = await create(`
      create table wide (id int primary key, v bytea); insert into wide select i, decode(repeat('5a', ${MAX_ROW_BYTES}), 'hex') from generate_series(1, 5) i;
      insert into wide values (9, 'x');
    `);
    const snapshot = await postgresSource(await optionsFor(server, database)).open();
    let rows = 0;
    for await (const object of snapshot.objects())
      if (object.kind === 'rows') rows += await countRows(object);
    await snapshot.close();
    expect(rows).toBe(6);
    expect(
      rawFieldsOf(rowsOf(await read(database), 'public/wide/main/all').content).map((row) => row[1]!.length),
    ).toEqual([...Array(5).fill(MAX_ROW_BYTES), 1]);
  });

  test('large objects in pages, sequences as they stand, and what is named', async () => {
    const database = await create(`
      select lo_from_bytea(70001, decode(repeat('ab', 600000), 'hex')), lo_from_bytea(70002, ''), lo_from_bytea(70003, decode(repeat('cd', ${2 * LARGE_OBJECT_PAGE}), 'hex')), lo_from_bytea(70000, 'small');
      comment on large object 70000 is 'a note'; create role reader_${major}; grant select on large object 70000 to reader_${major};
      create sequence fresh; create sequence used start 7 increment 7; select nextval('used'), nextval('used'); create sequence set_only; select setval('set_only', 42, false);
      create table ids (id int generated always as identity primary key, v int generated by default as identity); insert into ids default values;
      create view v1 as select 1 as a; create materialized view zz as select * from v1; create view v2 as select * from zz;
      create materialized view aa as select * from v2; create materialized view hollow as select 1 with no data; create publication pub for all tables;
    `);
    const found = await read(database);
    const pages = rawFieldsOf(found.get('3-large-objects/rows')!.content);
    expect(pages.map(([oid, page]) => [oid!.readUInt32BE(), Number(page!.readBigInt64BE())])).toEqual([
      [70000, 0],
      [70001, 0],
      [70001, 1],
      [70001, 2],
      [70003, 0],
      [70003, 1],
    ]);
    expect(Buffer.concat(pages.slice(1, 4).map((row) => row[2]!))).toEqual(Buffer.alloc(600_000, 0xab));
    expect(
      pages.every((row) => row.reduce((sum, field) => sum + 4 + field!.length, 2) <= MAX_ROW_BYTES),
    ).toBe(true);
    expect(decodeRowsIndex(found.get('3-large-objects/rows-index')!.content).rows).toBe(6);
    const facts = parseFacts(found.get('1-schema/facts')!.content);
    expect(facts.largeObjects.map(({ oid, comment }) => [oid, comment])).toEqual([
      [70000, 'a note'],
      [70001, null],
      [70002, null],
      [70003, null],
    ]);
    expect(facts.largeObjects[0]!.acl).toContain(`reader_${major}=r`);
    expect(facts.roles).toEqual(['postgres', `reader_${major}`]);
    expect(facts.materializedViews.map(({ name }) => name)).toEqual(['zz', 'aa']);
    expect(facts.publications).toEqual(['pub']);
    expect(facts.tables.find(({ name }) => name === 'ids')!.identityAlways).toEqual(['id']);
    expect(parseSequences(found.get('4-sequences')!.content)).toEqual([
      { schema: 'public', name: 'fresh', last: '1', called: false },
      { schema: 'public', name: 'ids_id_seq', last: '1', called: true },
      { schema: 'public', name: 'ids_v_seq', last: '1', called: true },
      { schema: 'public', name: 'set_only', last: '42', called: false },
      { schema: 'public', name: 'used', last: '14', called: true },
    ]);
  });

  test('tables are chosen by pattern, and mistakes are answered with what is near', async () => {
    const database = await create(`
      create table users (id int primary key, email text); create table users_old (id int); create schema audit; create table audit.users (id int);
      create table plain (a int, b text); create table p (a int) partition by list (a);
    `);
    const chosen = async (options: Partial<PostgresSourceOptions>): Promise<string[]> =>
      Array.from((await read(database, options)).keys()).flatMap((path) =>
        path.endsWith('/rows') ? [path.split('/').slice(1, 3).join('.')] : [],
      );
    expect(await chosen({ include: ['users*'] })).toEqual([
      'audit.users',
      'public.users',
      'public.users_old',
    ]);
    expect(await chosen({ include: ['public.*'], exclude: ['*_old', 'public.plain'] })).toEqual([
      'public.users',
    ]);
    const refused = async (options: Partial<PostgresSourceOptions>): Promise<unknown> => {
      const source = postgresSource({ ...(await optionsFor(server, database)), ...options });
      const opened = source.open().then(
        (snapshot) => snapshot.close(),
        (error: unknown) => error,
      );
      const [error, tested] = [await opened, await source.test().catch((reason: unknown) => reason)];
      expect(tested).toEqual(error);
      return error;
    };
    const invalid = (message: RegExp, hint: RegExp) =>
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      });
    expect(await refused({ include: ['public.usres'] })).toEqual(
      invalid(/no table public.usres/, /public.users\?/),
    );
    expect(await refused({ time: { plian: 'a' } })).toEqual(invalid(/no table plian/, /plain/));
    expect(await refused({ time: { plain: 'a' } })).toEqual(
      invalid(/a of public.plain is of type integer/, /timestamptz/),
    );
    expect(await refused({ time: { users: 'id' } })).toEqual(
      invalid(/More than one table is called users: audit.users, public.users/, /schema/),
    );
    expect(await refused({ families: { 'public.users': { pii: ['emial'] } } })).toEqual(
      invalid(/no column emial/, /email/),
    );
    expect(await refused({ families: { 'public.users': { pii: ['id'] } } })).toEqual(
      invalid(/id is part of the key/, /Leave/),
    );
    expect(await refused({ families: { plain: { pii: ['b'] } } })).toEqual(invalid(/no key/, /primary key/));
  });
});
