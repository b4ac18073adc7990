import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { displayPath } from '@holdfast/contracts';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PostgresSourceOptions } from '../../src/postgres/options.ts';
import { postgresSource } from '../../src/postgres/postgres-source.ts';
import { optionsFor, readSnapshot } from './read-snapshot.ts';

const run = promisify(execFile);

/** The rules are the same in all versions; in the older one these will do. */
const FEW = /of one row|in its place|one transaction|full|no row yet|without touching/;

interface State {
  readonly fingerprints: ReadonlyMap<string, string | null>;
  readonly contents: ReadonlyMap<string, string>;
}

describe.each([15, 13] as const)('fingerprints of PostgreSQL %i', async (major) => {
  const missing = await PostgresServer.missing(major);
  if (missing) {
    test.skip(missing);
    return;
  }
  let server: PostgresServer;
  let databases = 0;
  let shared: string | null = null;
  let last: { readonly database: string; readonly state: State } | null = null;
  beforeAll(async () => {
    server = await PostgresServer.start({ major, settings: { autovacuum: 'off' } });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const create = async (sql: string): Promise<string> => {
    const database = `prints${databases++}`;
    await server.createDatabase(database);
    await server.query(sql, database);
    return database;
  };
  const look = async (database: string, options: Partial<PostgresSourceOptions> = {}): Promise<State> => {
    const source = postgresSource({
      ...(await optionsFor(server, database)),
      skipUnchanged: true,
      ...options,
    });
    const found = Array.from(await readSnapshot(await source.open())).filter(([path]) =>
      path.startsWith('2-rows/'),
    );
    return {
      fingerprints: new Map(found.map(([path, { object }]) => [path, object.fingerprint])),
      contents: new Map(
        found.map(([path, { object, content }]) => [
          path,
          `${Buffer.from((object.attributes.rows as Uint8Array) ?? []).toString('hex')} ${content.toString('hex')}`,
        ]),
      ),
    };
  };
  const TABLE = '2-rows/public/t/main/all/rows';
  const INDEX = `${TABLE}-index`;

  /** Fingerprints before and after, which must agree with what really changed. */
  const around = async (
    database: string,
    change: string | (() => Promise<void>),
  ): Promise<'same' | 'other' | 'none'> => {
    const before = last?.database === database ? last.state : await look(database);
    if (typeof change === 'string')
      for (const statement of change.split(';;')) await server.query(statement, database);
    else await change();
    const after = await look(database);
    last = { database, state: after };
    for (const [path, fingerprint] of after.fingerprints) {
      if (fingerprint === null || fingerprint !== before.fingerprints.get(path)) continue;
      expect(after.contents.get(path), path).toBe(before.contents.get(path));
    }
    const [was, is] = [before.fingerprints.get(TABLE), after.fingerprints.get(TABLE)];
    expect(before.fingerprints.get(INDEX)).toBe(was);
    return is === null || is === undefined || was === null ? 'none' : is === was ? 'same' : 'other';
  };

  const PLAIN = `create table t (id int primary key, v text, n int) with (fillfactor = 50); insert into t select i, 'v' || i, i from generate_series(1, 500) i`;

  test('what does not change rows does not change them', async () => {
    const database = await create(`${PLAIN}; create table other (a int)`);
    expect(await around(database, 'select 1')).toBe('same');
    expect(await around(database, `insert into other values (1)`)).toBe('same');
    expect(await around(database, `begin; update t set v = 'x'; rollback`)).toBe('same');
    expect(await around(database, `begin; insert into t values (0, 'x', 0); rollback;; vacuum t`)).toBe(
      'same',
    );
    expect(await around(database, `begin; delete from t where id < 100; rollback;; vacuum t`)).toBe('same');
    expect(await around(database, `begin; select * from t for update; commit`)).toBe('same');
    expect(
      await around(
        database,
        `begin; savepoint s; update t set n = 1; rollback to s; select * from t for share; commit`,
      ),
    ).toBe('same');
    expect(await around(database, 'vacuum (freeze) t;; analyze t')).toBe('same');
    expect(
      await around(
        database,
        `create index on t (v);; comment on table t is 'hello';; grant select on t to public`,
      ),
    ).toBe('same');
  });

  test.each(
    [
      ['an update of one row', `update t set v = 'new' where id = 77`],
      ['an update to the same value', 'update t set v = v where id = 77'],
      ['a HOT update', `update t set n = -1 where id = 77`],
      [
        'an update back and forth',
        `update t set v = 'new' where id = 77;; update t set v = 'v77' where id = 77`,
      ],
      ['insert', `insert into t values (1000, 'x', 1)`],
      ['delete', 'delete from t where id = 77'],
      [
        'delete, vacuum, and another row in its place',
        `delete from t where id = 500;; vacuum t;; insert into t values (500, 'other', 1)`,
      ],
      [
        'truncate, and the same number of rows again',
        `truncate t;; insert into t select i, 'w' || i, i from generate_series(1, 500) i`,
      ],
      [
        'truncate and other rows in one transaction',
        `begin; truncate t; insert into t select i, 'w' || i, i from generate_series(1, 500) i; commit`,
      ],
      ['drop and create', `drop table t;; ${PLAIN.replaceAll("'v'", "'w'")}`],
      ['vacuum full', 'delete from t where id < 100;; vacuum full t'],
      ['cluster', 'cluster t using t_pkey'],
      ['a column with a default that no row has yet', `alter table t add extra int default 7`],
      ['a column for another of the same name', `alter table t drop n;; alter table t add n int default 7`],
      [
        'a default in all rows, then another',
        `alter table t add extra int default 7;; alter table t drop extra;; alter table t add extra int default 8`,
      ],
      ['a column renamed', 'alter table t rename v to w'],
      ['a type changed without touching rows', 'alter table t alter v type varchar'],
      ['a type changed with rows rewritten', 'alter table t alter n type bigint'],
      ['not null', 'alter table t alter v set not null'],
      [
        'another key',
        'alter table t drop constraint t_pkey;; alter table t alter n set not null;; create unique index on t (n)',
      ],
    ].filter(([name]) => major === 15 || FEW.test(name!)),
  )('%s', async (_, change) => {
    shared ??= await create('select 1');
    const database = shared;
    await server.query(`drop table if exists t; ${PLAIN}`, database);
    last = null;
    expect(await around(database, change)).toBe('other');
  });

  test('types whose text hangs on the catalog', async () => {
    const database = await create(`create type mood as enum ('sad', 'ok'); create domain note as mood;
      create table t (id int primary key, m mood, ms mood[], n note); insert into t values (1, 'ok', '{sad}', 'ok')`);
    expect(await around(database, 'select 1')).toBe('same');
    expect(await around(database, `alter type mood rename value 'sad' to 'blue'`)).toBe('other');
    expect(await around(database, `alter type mood add value 'fine'`)).toBe('other');
    const kinds = ['regclass', 'regtype[]', 'pair', 'money', 'aclitem', 'span', 'pair[]'];
    const bound =
      await create(`create type pair as (a int, b text); create type span as range (subtype = float8);
      ${kinds.map((type, i) => `create table t${i} (id int primary key, v ${type}); insert into t${i} values (1, null);`).join(' ')}`);
    const { fingerprints } = await look(bound);
    expect(fingerprints.size).toBe(2 * kinds.length);
    expect(new Set(fingerprints.values())).toEqual(new Set([null]));
  });

  test('by window: only those that a change touches', async () => {
    const database = await create(`create table t (id int primary key, at date, v text, secret text);
      insert into t select i, '2026-01-01'::date + i, 'v', 's' from generate_series(0, 89) i`);
    const options = { time: { t: 'at' }, families: { t: { pii: ['secret'] } } };
    const before = await look(database, options);
    await server.query(
      `update t set at = '2026-03-01' where id = 3; update t set at = '2026-01-04' where id = 3`,
      database,
    );
    await server.query(`insert into t values (500, '2026-02-02', 'late', 's')`, database);
    const after = await look(database, options);
    const changed = Array.from(after.fingerprints).flatMap(([path, print]) =>
      print !== before.fingerprints.get(path) && path.endsWith('rows')
        ? [path.split('/').slice(3, 5).join('/')]
        : [],
    );
    expect(changed).toEqual(['family-pii/2026-01', 'family-pii/2026-02', 'main/2026-01', 'main/2026-02']);
    expect(after.fingerprints.size).toBe(12);
    expect(after.fingerprints.values().every((print) => print !== null)).toBe(true);
    // Not the same words for other columns.
    const other = await look(database, { time: { t: 'at' } });
    expect(other.fingerprints.get('2-rows/public/t/main/2026-03/rows')).not.toBe(
      after.fingerprints.get('2-rows/public/t/main/2026-03/rows'),
    );
  });

  test('random statements: equal fingerprints, equal contents', async () => {
    const database = await create(
      'create table t (id int primary key, v int) with (fillfactor = 60); insert into t select i, i from generate_series(1, 20) i',
    );
    const id = fc.integer({ min: 1, max: 25 });
    const statement = fc.oneof(
      fc.tuple(id, fc.nat(3)).map(([row, v]) => `update t set v = ${v} where id = ${row}`),
      id.map((row) => `delete from t where id = ${row}`),
      fc.tuple(id, fc.nat(3)).map(([row, v]) => `insert into t values (${row}, ${v}) on conflict do nothing`),
      fc.constantFrom(
        'vacuum t',
        'vacuum (freeze) t',
        'begin; update t set v = 9; rollback',
        'begin; savepoint a; delete from t; rollback to a; commit',
        'select * from t for update',
      ),
    );
    const seen = new Map<string, string>();
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { maxLength: 4 }), async (statements) => {
        for (const each of statements) await server.query(each, database);
        const { fingerprints, contents } = await look(database);
        const print = fingerprints.get('2-rows/public/t/main/all/rows');
        // An empty table has one of another path's kind of content: none.
        if (!print) return;
        const content = contents.get('2-rows/public/t/main/all/rows')!;
        expect(seen.get(print) ?? content).toBe(content);
        seen.set(print, content);
      }),
      { numRuns: 15 },
    );
    expect(seen.size).toBeGreaterThan(2);
  });

  test('a server that was restarted, that recovered, or whose files were put back', async () => {
    const database = await create(PLAIN);
    const crash = async (): Promise<void> => {
      const client = await server.connect(database);
      const [{ pid }] = (await client.query('select pg_backend_pid() as pid')).rows;
      process.kill(pid, 'SIGKILL');
      await client.end().catch(() => {});
      for (;;) {
        const again = await server.query('select 1').catch(() => null);
        if (again) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    // Transactions that were not yet on disk may be lost then, and their numbers used again.
    expect(await around(database, crash)).toBe('other');
    await server.query('checkpoint');
    await server.stop();
    const old = `${server.dataDirectory}-old`;
    await run('cp', ['-a', server.dataDirectory, old]);
    await server.resume();
    // One transaction more, its content different in the two lives of the server, its number and place the same.
    await server.query(`insert into t values (9999, 'first life', 1)`, database);
    const first = await look(database);
    await server.stop();
    await rm(server.dataDirectory, { recursive: true });
    await run('mv', [old, server.dataDirectory]);
    await server.resume();
    await server.query(`insert into t values (9999, 'other life', 1)`, database);
    const second = await look(database);
    const sums = [first, second].map(({ fingerprints }) =>
      fingerprints.get(TABLE)!.split('/').slice(-2).join('/'),
    );
    expect(sums[0]).toBe(sums[1]);
    expect(first.contents.get(TABLE)).not.toBe(second.contents.get(TABLE));
    expect(first.fingerprints.get(TABLE)).not.toBe(second.fingerprints.get(TABLE));
  });

  test('off unless asked for', async () => {
    const database = await create(PLAIN);
    const snapshot = await postgresSource(await optionsFor(server, database)).open();
    for await (const object of snapshot.objects())
      expect(object.fingerprint, displayPath(object.path)).toBeNull();
    await snapshot.close();
  });
});
