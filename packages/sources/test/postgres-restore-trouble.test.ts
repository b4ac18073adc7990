import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import type { MemorySourceObject } from '@holdfast/testing/memory-source';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { createTorture } from '@holdfast/testing/servers/postgres-torture';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { scratchDatabase } from '../src/postgres/restore/index.ts';
import { encodeTuple, fieldsOf } from '../src/rows/tuple-splitter.ts';
import { objectsOf } from './postgres-objects.ts';
import {
  coded,
  databases,
  PASSWORD_ENV,
  restore,
  serverOptions,
  sinkOptions,
} from './postgres-restore-helpers.ts';

const missing = await PostgresServer.missing();
const PROGRAM = fileURLToPath(new URL('postgres-restore-process.ts', import.meta.url));

const SCHEMA = `CREATE TABLE t (id int PRIMARY KEY, body text);
  INSERT INTO t SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 8000) i; CREATE INDEX ON t (body)`;
const SUM = "SELECT count(*)::int AS rows, md5(string_agg(t::text, ',' ORDER BY id)) AS sum FROM t";

describe.skipIf(missing !== null)('restoring to PostgreSQL in trouble', () => {
  let server: PostgresServer;
  let objects: MemorySourceObject[];
  let directory: string;
  let expected: unknown;
  beforeAll(async () => {
    server = await PostgresServer.start();
    directory = mkdtempSync(join(tmpdir(), 'holdfast-restore-trouble-'));
    await server.createDatabase('shop');
    await server.query(SCHEMA, 'shop');
    objects = await objectsOf(server, 'shop');
    expected = await server.query(SUM, 'shop');
    writeFileSync(join(directory, 'objects'), serialize(objects));
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const name of await databases(server))
      if (name !== 'shop') await server.query(`DROP DATABASE "${name}" WITH (FORCE)`);
  });

  const markedAs = async (mark: string): Promise<void> => {
    await server.createDatabase('back');
    await server.query(`CREATE TABLE old (mark text); INSERT INTO old VALUES ('${mark}')`, 'back');
  };
  /** Which database is there under the name: the whole old one, or the whole new one; else it fails. */
  const standing = async (mark: string): Promise<'old' | 'new'> => {
    const [{ old }] = (await server.query("SELECT to_regclass('old') AS old", 'back')) as [
      { old: string | null },
    ];
    if (old === null) expect(await server.query(SUM, 'back')).toEqual(expected);
    else expect(await server.query('SELECT * FROM old', 'back')).toEqual([{ mark }]);
    return old === null ? 'new' : 'old';
  };
  const child = (): ReturnType<typeof spawn> =>
    spawn(
      process.execPath,
      [PROGRAM, JSON.stringify(sinkOptions(server, { overwrite: true })), join(directory, 'objects')],
      { stdio: 'ignore' },
    );
  const ended = (process: ReturnType<typeof spawn>): Promise<unknown> =>
    new Promise((resolve) => process.once('close', (code, signal) => resolve(signal ?? code)));

  test('killed at any moment, the old or the new database is there', { timeout: 240_000 }, async () => {
    await markedAs('0');
    const start = Date.now();
    const whole = child();
    expect(await ended(whole)).toBe(0);
    expect(await standing('0')).toBe('new');
    const lasts = Date.now() - start;
    for (let i = 1; i <= 4; i++) {
      await server.query('DROP DATABASE back WITH (FORCE)');
      await markedAs(String(i));
      const running = child();
      // Listens from the beginning: it may be over before it is to be killed.
      const over = ended(running);
      // More of them towards the end, where the swap is.
      await new Promise((resolve) => setTimeout(resolve, lasts * (1 - (i / 4) ** 2 * Math.random())));
      running.kill('SIGKILL');
      await over;
      await standing(String(i));
    }
    await restore(server, objects, { overwrite: true, terminateSessions: true });
    expect(await standing('')).toBe('new');
    expect((await databases(server)).sort()).toEqual(['back', 'shop']);
  });

  test.each([
    ['rows', /^COPY/],
    ['the schema', /^(CREATE|ALTER) (TABLE|INDEX|UNIQUE)/],
  ])('the server dies over %s: the old database is as before', async (_, query) => {
    await markedAs('x');
    const kill = async (): Promise<void> => {
      for (let tries = 0; tries < 1000; tries++) {
        const running = await server.query("SELECT query FROM pg_stat_activity WHERE datname LIKE 'back.%'");
        if (running.some((row) => query.test(row.query))) break;
      }
      await server.kill();
    };
    const [result] = await Promise.allSettled([restore(server, objects, { overwrite: true }), kill()]);
    await server.resume();
    if (result.status === 'rejected') {
      expect(result.reason).toEqual(coded('TARGET_UNWRITABLE'));
      expect(await standing('x')).toBe('old');
    } else await standing('x');
    await restore(server, objects, { overwrite: true });
    expect(await standing('x')).toBe('new');
    expect((await databases(server)).sort()).toEqual(['back', 'shop']);
  });

  test('a full disk says so, and leaves nothing', async ({ skip }) => {
    const small = join(directory, 'small');
    try {
      execFileSync('mkdir', ['-p', small]);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', small]);
    } catch {
      return skip('only root can mount a small file system');
    }
    try {
      execFileSync('mkdir', [join(small, 'space')]);
      execFileSync('chown', ['-R', 'postgres', small]);
      chmodSync(directory, 0o755);
      await server.query(`CREATE TABLESPACE small LOCATION '${join(small, 'space')}'`);
      await server.query('ALTER ROLE postgres SET default_tablespace = small');
      await markedAs('full');
      await expect(restore(server, objects, { overwrite: true, tablespaces: 'none' })).rejects.toThrow(
        coded('DISK_FULL'),
      );
      expect(await standing('full')).toBe('old');
      expect((await databases(server)).sort()).toEqual(['back', 'shop']);
    } finally {
      await server.query('ALTER ROLE postgres RESET default_tablespace');
      await server.query('DROP DATABASE IF EXISTS back WITH (FORCE)');
      await server.query('DROP TABLESPACE IF EXISTS small');
      execFileSync('umount', [small]);
    }
  });

  const failure = async (more: Parameters<typeof restore>[2]): Promise<Error> => {
    try {
      await restore(server, objects, more);
    } catch (error) {
      return error as Error;
    }
    throw new Error('it should have failed');
  };

  test('a wrong password is named, and never shown', async () => {
    process.env.HOLDFAST_TEST_WRONG = 'open sesame';
    const error = await failure({ passwordEnv: 'HOLDFAST_TEST_WRONG' });
    expect(error).toEqual(coded('TARGET_UNWRITABLE', /password authentication failed for user "postgres"/));
    const shown = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error.stack);
    expect(shown).not.toContain('open sesame');
    expect(shown).not.toContain(process.env[PASSWORD_ENV]);
  });

  test('nobody sees the password among the processes', async () => {
    const seen: string[] = [];
    let done = false;
    const look = async (): Promise<void> => {
      while (!done) {
        seen.push(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const looking = look();
    await restore(server, objects);
    done = true;
    await looking;
    expect(seen.some((list) => list.includes('pg_restore'))).toBe(true);
    expect(seen.some((list) => list.includes(process.env[PASSWORD_ENV]!))).toBe(false);
  });

  test('no server, no database, no right', async () => {
    expect(await failure({ port: 1 })).toEqual(
      coded('TARGET_UNWRITABLE', /Cannot connect to database postgres/),
    );
    expect(await failure({ maintenanceDatabase: 'nowhere' })).toEqual(coded('TARGET_UNWRITABLE', /nowhere/));
    await server.query(
      `DO $$ BEGIN CREATE ROLE weak LOGIN PASSWORD 'a quiet harbour'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
    );
    const error = await failure({ user: 'weak' });
    expect(error).toEqual(coded('TARGET_UNWRITABLE', /weak may not create databases/));
    expect((error as { hint?: string }).hint).toContain('ALTER ROLE "weak" CREATEDB');
    await server.query('ALTER ROLE weak CREATEDB');
    await markedAs('theirs');
    expect(await failure({ user: 'weak', overwrite: true })).toEqual(
      coded('TARGET_UNWRITABLE', /belongs to postgres/),
    );
    await restore(server, objects, { user: 'weak', database: 'other', owner: 'none' });
    expect(await server.query(SUM, 'other')).toEqual(expected);
  });

  test('missing roles and extensions are all named beforehand, or made', async () => {
    await createTorture(server, 'torture');
    const torture = await objectsOf(server, 'torture');
    await using empty = await PostgresServer.start();
    const lacking = torture.map((object) => {
      if (object.path !== '1-schema/facts') return object;
      const facts = JSON.parse(String(object.content));
      facts.extensions.push({ name: 'never_was', version: '1', schema: 'public' });
      return { ...object, content: Buffer.from(JSON.stringify(facts)) };
    });
    await expect(restore(empty, lacking)).rejects.toThrow(
      coded('TARGET_UNWRITABLE', /extension never_was.*roles torture owner, torture_reader/),
    );
    await expect(restore(empty, torture)).rejects.toThrow(coded('TARGET_UNWRITABLE', /roles torture owner/));
    expect(await databases(empty)).toEqual([]);
    await restore(empty, torture, { createRoles: true });
    expect(await empty.query("SELECT rolcanlogin FROM pg_roles WHERE rolname ~ '^torture'")).toEqual([
      { rolcanlogin: false },
      { rolcanlogin: false },
    ]);
  });

  test('a program that is too old, and an error within the schema', async () => {
    const newer = objects.map((object) =>
      object.path === '1-schema/archive'
        ? { ...object, attributes: { pgDump: 'pg_dump (PostgreSQL) 99.1' } }
        : object,
    );
    await expect(restore(server, newer)).rejects.toThrow(
      expect.objectContaining({
        code: 'TARGET_UNWRITABLE',
        hint: expect.stringContaining('postgresql-client-99'),
      }),
    );
    const twice = objects
      .map((object) => (/rows-index$/.test(String(object.path)) ? { ...object, path: '2-rows/zz' } : object))
      .filter(({ path }) => path !== '2-rows/zz');
    const doubled = twice.map((object) =>
      /rows$/.test(String(object.path))
        ? { ...object, content: Buffer.concat([object.content!, object.content!]) }
        : object,
    );
    await expect(restore(server, doubled)).rejects.toThrow(coded('TARGET_UNWRITABLE', /t_pkey/));
    expect(await databases(server)).toEqual(['shop']);
  });

  test('large objects of other pages are refused', async () => {
    await server.createDatabase('large');
    await server.query("SELECT lo_from_bytea(5, decode(repeat('ab', 600000), 'hex'))", 'large');
    const pages = (await objectsOf(server, 'large')).map((object) => {
      if (object.path !== '3-large-objects/rows') return object;
      const shorter = [...fieldsOf(object.content!, 3)].map(([oid, page, data]) => [
        oid!,
        page!,
        data!.subarray(0, 2048),
      ]);
      return { ...object, content: Buffer.concat(shorter.map(encodeTuple)) };
    });
    await expect(restore(server, pages)).rejects.toThrow(coded('FORMAT_INVALID', /Large object 5/));
  });

  test('scratch databases go away, also those of the dead', async () => {
    const scratch = await scratchDatabase(serverOptions(server));
    await restore(server, objects, { database: scratch.name });
    expect(await server.query(SUM, scratch.name)).toEqual(expected);
    const [{ comment }] = (await server.query(
      "SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1",
      'postgres',
      [scratch.name],
    )) as [{ comment: string }];
    expect(comment).toMatch(new RegExp(`restore drill on .*, process ${process.pid}$`));
    // Of a run whose process was killed: a database and what its sink had begun.
    const dead = 'holdfast_drill_00000000000000ff';
    await server.createDatabase(dead);
    await server.createDatabase(`${dead}.holdfast-partial`);
    await server.createDatabase('holdfast_drill_of_mine');
    const other = await scratchDatabase(serverOptions(server));
    expect((await databases(server)).filter((name) => name.startsWith('holdfast')).sort()).toEqual(
      [scratch.name, other.name, 'holdfast_drill_of_mine'].sort(),
    );
    await scratch.drop();
    await scratch.drop();
    await other.drop();
    expect(await databases(server)).toEqual(['holdfast_drill_of_mine', 'shop']);
  });
});
