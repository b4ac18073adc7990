import { MAX_ROW_BYTES } from '@holdfast/contracts';
import { decodeRowsIndex } from '@holdfast/formats/rows';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LARGE_OBJECT_PAGE } from '../../src/postgres/large-objects.ts';
import type { PostgresSourceOptions } from '../../src/postgres/options.ts';
import { postgresSource } from '../../src/postgres/postgres-source.ts';
import { parseFacts, parseSequences } from '../../src/postgres/schema-facts.ts';
import { optionsFor, type ReadObject, rawFieldsOf, readSnapshot } from './read-snapshot.ts';

describe.each([15, 13] as const)('tables of PostgreSQL %i', async (major) => {
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
