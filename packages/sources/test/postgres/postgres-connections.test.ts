import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { describe, expect, test } from 'vitest';
import type { PostgresSourceOptions } from '../../src/postgres/options.ts';
import { postgresSource } from '../../src/postgres/postgres-source.ts';
import { fieldsOf, optionsFor, rawFieldsOf, readSnapshot } from './read-snapshot.ts';

const run = promisify(execFile);
const missing = await PostgresServer.missing(15);
if (missing) console.warn(`skipped: ${missing}`);

const unreadable = (message: RegExp) =>
  expect.objectContaining({ code: 'SOURCE_UNREADABLE', message: expect.stringMatching(message) });

/** An authority's certificate, and the server's with its key, for `localhost` and nothing else. */
async function certificates(server: PostgresServer): Promise<{ ca: string; cert: string; key: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-tls-'));
  await chmod(directory, 0o755);
  const at = (name: string): string => join(directory, name);
  const openssl = (...args: string[]) => run('openssl', args, { cwd: directory });
  await openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '3650',
    '-subj',
    '/CN=Test authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  await openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=localhost',
    '-keyout',
    'server.key',
    '-out',
    'server.csr',
  );
  await writeFile(at('names'), 'subjectAltName=DNS:localhost\n');
  await openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '3650',
    '-extfile',
    'names',
    '-out',
    'server.pem',
  );
  const { uid, gid } = await stat(server.dataDirectory);
  await chmod(at('server.key'), 0o600);
  await chown(at('server.key'), uid, gid);
  return { ca: at('ca.pem'), cert: at('server.pem'), key: at('server.key') };
}

describe.skipIf(missing !== null)('connections to PostgreSQL', () => {
  test('TLS in every mode, by the source and by pg_dump', async () => {
    await using server = await PostgresServer.start();
    const { ca, cert, key } = await certificates(server);
    await server.query(`alter system set ssl = on; `.trim());
    await server.query(`alter system set ssl_cert_file = '${cert}'`);
    await server.query(`alter system set ssl_key_file = '${key}'`);
    await server.stop();
    await server.resume();
    await server.query(
      `create table t (id int primary key, v text); insert into t select i, repeat('x', 200) from generate_series(1, 20000) i`,
    );
    const options = await optionsFor(server, 'postgres');
    const encrypted = async (tls: PostgresSourceOptions['tls'], host: string): Promise<boolean> => {
      const snapshot = await postgresSource({ ...options, host, tls }).open();
      const rows = await server.query(
        `select bool_and(ssl) as ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'holdfast'`,
      );
      const found = await readSnapshot(snapshot);
      expect(rawFieldsOf(found.get('2-rows/public/t/main/all/rows')!.content)).toHaveLength(20_000);
      return rows[0].ssl;
    };
    expect(await encrypted(undefined, '127.0.0.1')).toBe(true);
    expect(await encrypted({ mode: 'require' }, '127.0.0.1')).toBe(true);
    expect(await encrypted({ mode: 'require', ca }, '127.0.0.1')).toBe(true);
    expect(await encrypted({ mode: 'verify-full', ca }, 'localhost')).toBe(true);
    expect(await encrypted({ mode: 'disable' }, '127.0.0.1')).toBe(false);
    const refused = (tls: PostgresSourceOptions['tls'], host: string) =>
      postgresSource({ ...options, host, tls }).open();
    await expect(refused({ mode: 'verify-full' }, 'localhost')).rejects.toThrow(unreadable(/certificate/));
    await expect(refused({ mode: 'verify-full', ca }, '127.0.0.1')).rejects.toThrow(
      unreadable(/Cannot connect/),
    );
    await expect(refused({ mode: 'require', ca: cert }, '127.0.0.1')).rejects.toThrow(
      unreadable(/certificate/),
    );
    await expect(refused({ mode: 'require', ca: '/does/not/exist' }, '127.0.0.1')).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  test('Unix sockets, and passwords from wherever libpq takes them', async () => {
    await using server = await PostgresServer.start();
    await server.query('create table t (id int primary key)');
    const directory = dirname(server.dataDirectory);
    const base = { host: directory, port: server.port, user: server.user, database: 'postgres' };
    const works = async (options: PostgresSourceOptions): Promise<boolean> =>
      (await readSnapshot(await postgresSource(options).open())).size > 3;
    expect(await works({ ...base, passwordFile: (await optionsFor(server, 'postgres')).passwordFile! })).toBe(
      true,
    );
    const before = { ...process.env };
    try {
      process.env.PGPASSFILE = await server.passFile();
      expect(await works({ ...base, host: server.host })).toBe(true);
      process.env.PGPASSFILE = '/does/not/exist';
      await expect(works({ ...base, host: server.host })).rejects.toThrow(unreadable(/password/i));
      process.env.PGPASSWORD = server.password;
      process.env.PGHOST = server.host;
      process.env.PGPORT = String(server.port);
      process.env.PGUSER = server.user;
      expect(await works({})).toBe(true);
    } finally {
      for (const name of ['PGPASSFILE', 'PGPASSWORD', 'PGHOST', 'PGPORT', 'PGUSER']) delete process.env[name];
      Object.assign(process.env, before);
    }
  });

  test('a password is in no process’s arguments', async () => {
    await using server = await PostgresServer.start();
    await server.query('create table t (id int primary key)');
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-pgdump-'));
    const spy = join(directory, 'pg_dump');
    await writeFile(
      spy,
      `#!/bin/sh\ntr '\\0' ' ' < /proc/$$/cmdline >> ${directory}/arguments\nexec /usr/lib/postgresql/15/bin/pg_dump "$@"\n`,
    );
    await chmod(spy, 0o755);
    await readSnapshot(
      await postgresSource({ ...(await optionsFor(server, 'postgres')), pgDump: spy }).open(),
    );
    const seen = await readFile(join(directory, 'arguments'), 'utf8');
    expect(seen).toContain('--snapshot=');
    expect(seen).not.toContain(server.password);
  });

  test('a standby is read too; what it cannot show is said', async () => {
    await using server = await PostgresServer.start();
    await server.query(
      `create table t (id int primary key); insert into t values (1), (2); create sequence s`,
    );
    await server.query(`create unlogged table loose (id int primary key)`);
    await server.stop();
    const signal = join(server.dataDirectory, 'standby.signal');
    await writeFile(signal, '');
    const { uid, gid } = await stat(server.dataDirectory);
    await chown(signal, uid, gid);
    await server.resume();
    const options = { ...(await optionsFor(server, 'postgres')), skipUnchanged: true };
    expect((await postgresSource(options).test()).facts.standby).toBe(true);
    await expect(
      postgresSource(options)
        .open()
        .then((snapshot) => readSnapshot(snapshot)),
    ).rejects.toThrow(
      expect.objectContaining({
        code: 'SOURCE_UNREADABLE',
        message: expect.stringContaining('public.loose'),
        hint: expect.stringContaining('exclude'),
      }),
    );
    const found = await readSnapshot(await postgresSource({ ...options, exclude: ['loose'] }).open());
    expect(rawFieldsOf(found.get('2-rows/public/t/main/all/rows')!.content)).toHaveLength(2);
    expect(found.get('2-rows/public/t/main/all/rows')!.object.fingerprint).toBeNull();
  });

  test('a database that knows no encoding is read as its bytes', async () => {
    await using server = await PostgresServer.start();
    await server.query(`create database bytes encoding 'SQL_ASCII' template template0`);
    await server.psql(
      `create type mood as enum ('a'); create table t (id int primary key, v text, m mood); set client_encoding to 'SQL_ASCII'; insert into t values (1, convert_from('\\xe9ff', 'SQL_ASCII'), 'a'); create table b (id int primary key, v text); insert into b select id, v from t;`,
      'bytes',
    );
    const found = await readSnapshot(await postgresSource(await optionsFor(server, 'bytes')).open());
    expect(found.get('1-schema/facts')!.content.toString()).toContain('SQL_ASCII');
    for (const table of ['t', 'b'])
      expect(rawFieldsOf(found.get(`2-rows/public/${table}/main/all/rows`)!.content)[0]![1]).toEqual(
        Buffer.from([0xe9, 0xff]),
      );
  });

  test('the archive is one that pg_restore reads', async () => {
    await using server = await PostgresServer.start();
    await server.query(
      `create table "odd ""name" (id int generated always as identity primary key); comment on table "odd ""name" is 'x'`,
    );
    const found = await readSnapshot(await postgresSource(await optionsFor(server, 'postgres')).open());
    const { object, content } = found.get('1-schema/archive')!;
    expect(object.attributes.pgDump).toMatch(/^pg_dump \(PostgreSQL\) 15/);
    const file = join(await mkdtemp(join(tmpdir(), 'holdfast-archive-')), 'archive');
    await writeFile(file, content);
    const { stdout } = await run(join(server.programs, 'pg_restore'), ['-l', file]);
    expect(stdout).toContain('Archive created at 2000-01-01 00:00:00');
    expect(stdout).toContain('odd "name');
    expect(fieldsOf(found.get('2-rows/public/odd "name/main/all/rows')!.content)).toEqual([]);
  });
});
