import { displayPath, isRowReader, MAX_ROW_BYTES, type SourceObject } from '@holdfast/contracts';
import { decodeRowsDescription, decodeRowsIndex, type RowsDescription } from '@holdfast/formats/rows';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PostgresSourceOptions } from '../../src/postgres/options.ts';
import { postgresSource } from '../../src/postgres/postgres-source.ts';
import { parseFacts } from '../../src/postgres/schema-facts.ts';
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
});
