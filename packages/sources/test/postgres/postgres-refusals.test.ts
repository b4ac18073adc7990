import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError, type SourceSnapshot } from '@holdfast/contracts';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PostgresSourceOptions } from '../../src/postgres/options.ts';
import { postgresSource } from '../../src/postgres/postgres-source.ts';
import { optionsFor, rawFieldsOf, readSnapshot } from './read-snapshot.ts';

const missing = await PostgresServer.missing(15);
if (missing) console.warn(`skipped: ${missing}`);

const failing = async (work: Promise<unknown>): Promise<HoldfastError> => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!HoldfastError.is(error)) throw error ?? new Error('Nothing failed.');
  return error;
};

describe.skipIf(missing !== null)('PostgreSQL refused', () => {
  let server: PostgresServer;
  let databases = 0;
  beforeAll(async () => {
    server = await PostgresServer.start({ settings: { max_connections: '30' } });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const create = async (sql: string): Promise<string> => {
    const database = `trouble${databases++}`;
    await server.createDatabase(database);
    await server.query(sql, database);
    return database;
  };
  const optionsOf = async (database: string, options: Partial<PostgresSourceOptions> = {}) => ({
    ...(await optionsFor(server, database)),
    ...options,
  });
  const open = async (
    database: string,
    options: Partial<PostgresSourceOptions> = {},
  ): Promise<SourceSnapshot> => postgresSource(await optionsOf(database, options)).open();
  const asUser = async (database: string, user: string, options: Partial<PostgresSourceOptions> = {}) => {
    process.env[`PASSWORD_${user}`] = `pw ${user}`;
    return optionsOf(database, {
      user,
      passwordFile: undefined,
      passwordEnv: `PASSWORD_${user}`,
      ...options,
    });
  };

  test('missing rights are named with the statement that gives them', async () => {
    const database = await create(`
      create role poor login password 'pw poor'; create schema hidden; create table hidden.deep (id int); create table plain (id int); create table "Odd Name" (id int);
      create sequence numbers; grant select on plain to poor`);
    const source = postgresSource(await asUser(database, 'poor'));
    const error = await failing(source.open());
    expect(error).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      details: { tables: ['hidden.deep', 'public.Odd Name', 'public.numbers'] },
    });
    expect(error.hint).toContain('GRANT USAGE ON SCHEMA "hidden" TO "poor";');
    expect(error.hint).toContain('GRANT SELECT ON TABLE "hidden"."deep", "public"."Odd Name" TO "poor";');
    expect(error.hint).toContain('GRANT pg_read_all_data TO "poor";');
    expect((await source.test()).facts['missing rights']).toBe(error.hint);
    await server.query(
      'grant usage on schema hidden to poor; grant select on hidden.deep, "Odd Name" to poor',
      database,
    );
    const sequences = await failing(source.open());
    expect(sequences.hint).toContain('GRANT SELECT ON SEQUENCE "public"."numbers" TO "poor";');
    await server.query('grant pg_read_all_data to poor', database);
    expect((await readSnapshot(await source.open())).size).toBeGreaterThan(5);
    await server.query(`select lo_from_bytea(4711, 'x')`, database);
    // No role gives these: found before anything is read.
    const large = await failing(source.open());
    expect(large).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      hint: expect.stringContaining('GRANT SELECT ON LARGE OBJECT 4711 TO poor;'),
    });
    await server.query('grant select on large object 4711 to poor', database);
    expect((await readSnapshot(await source.open())).has('3-large-objects/rows')).toBe(true);
  });

  test('row security that would hide rows stops the backup', async () => {
    const database = await create(`
      create role narrow login password 'pw narrow'; create table secret (id int, owner text); alter table secret enable row level security;
      create policy own on secret using (owner = current_user); insert into secret values (1, 'narrow'), (2, 'other'); grant select on secret to narrow`);
    const source = postgresSource(await asUser(database, 'narrow'));
    const error = await failing(source.open());
    expect(error.code).toBe('SOURCE_UNREADABLE');
    expect(error.message).toContain('Row security would hide rows of table public.secret');
    expect(error.hint).toContain('BYPASSRLS');
    expect((await source.test()).facts['hidden by row security']).toBe('public.secret');
    const found = await readSnapshot(await open(database));
    expect(rawFieldsOf(found.get('2-rows/public/secret/main/all/rows')!.content)).toHaveLength(2);
  });

  test('what is wrong with the connection is said, and the password is not', async () => {
    const database = await create('select 1');
    const password = `wrong-${randomBytes(8).toString('hex')}`;
    process.env.WRONG_PASSWORD = password;
    const wrong = await failing(open(database, { passwordFile: undefined, passwordEnv: 'WRONG_PASSWORD' }));
    expect(wrong).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringContaining('Wrong password for postgres'),
    });
    const texts: string[] = [];
    for (let error: unknown = wrong; error instanceof Error; error = error.cause)
      texts.push(
        error.stack!,
        JSON.stringify(error),
        JSON.stringify(Object.getOwnPropertyNames(error).map((name) => String((error as never)[name]))),
      );
    expect(texts.join()).not.toContain(password);
    expect(await failing(open('nowhere'))).toMatchObject({
      message: expect.stringContaining('no database nowhere'),
    });
    expect(await failing(open(database, { port: 1 }))).toMatchObject({
      message: expect.stringContaining('Nothing listens'),
    });
    expect(await failing(open(database, { host: 'no-such-host.invalid' }))).toMatchObject({
      message: expect.stringMatching(/no host|Cannot connect/),
    });
    expect(await failing(open(database, { passwordFile: '/does/not/exist' }))).toMatchObject({
      message: expect.stringContaining('/does/not/exist'),
    });
    expect(
      await failing(open(database, { passwordFile: undefined, passwordEnv: 'NOT_SET_AT_ALL' })),
    ).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await failing(open(database, { tls: { mode: 'require' } }))).toMatchObject({
      message: expect.stringContaining('does not speak TLS'),
    });
    expect(() => postgresSource({ connections: 0 })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  test('too many connections', async () => {
    const database = await create(
      `create role crowd login password 'pw crowd' connection limit 1; create table t (id int); grant select on t to crowd`,
    );
    const error = await failing(postgresSource(await asUser(database, 'crowd')).open());
    expect(error.code).toBe('SOURCE_UNREADABLE');
    expect(error.message).toContain('too many connections');
    await server.query('alter role crowd connection limit 3', database);
    const third = await failing(postgresSource(await asUser(database, 'crowd')).open());
    expect(third.hint).toContain('lower that');
    const found = await readSnapshot(
      await postgresSource(await asUser(database, 'crowd', { connections: 1 })).open(),
    );
    expect(found.has('2-rows/public/t/main/all/rows')).toBe(true);
  });

  test('a pg_dump that fails leaves no snapshot, and says what it said', async () => {
    const database = await create('create table t (id int)');
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-pgdump-'));
    const broken = join(directory, 'pg_dump');
    await writeFile(
      broken,
      '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 15.99" && exit 0\nprintf PGDMP; echo "pg_dump: error: the disk is on fire" >&2; exit 1\n',
    );
    await chmod(broken, 0o755);
    const error = await failing(open(database, { pgDump: broken }));
    expect(error).toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringContaining('the disk is on fire'),
    });
    expect(await failing(open(database, { pgDump: join(directory, 'none') }))).toMatchObject({
      message: expect.stringContaining('is no pg_dump'),
    });
  });
});
