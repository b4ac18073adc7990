import {
  displayPath,
  HoldfastError,
  isRowReader,
  MAX_ROW_BYTES,
  type SourceSnapshot,
} from '@holdfast/contracts';
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

const until = async (reached: () => Promise<boolean>): Promise<void> => {
  for (;;) {
    if (await reached()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe.skipIf(missing !== null)('PostgreSQL in trouble', () => {
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

  const bigTable = `create table big (id int primary key, pad text); insert into big select i, repeat(md5(i::text), 30) from generate_series(1, 60000) i`;

  /** Reads the first rows, does something to the server, and reads on. */
  const readAround = async (database: string, midway: () => Promise<void>): Promise<HoldfastError> => {
    const snapshot = await open(database, { connections: 1 });
    const buffer = new Uint8Array(MAX_ROW_BYTES);
    const reading = async (): Promise<void> => {
      for await (const object of snapshot.objects()) {
        const reader = await object.open();
        if (!isRowReader(reader)) continue;
        expect((await reader.readRows(buffer)).kind).toBe('rows');
        await midway();
        while ((await reader.readRows(buffer)).kind !== 'end');
      }
    };
    const error = await failing(reading());
    await snapshot.close();
    return error;
  };

  test('a snapshot is one moment though rows change, move and vanish meanwhile', async () => {
    const database = await create(`
      create table a (id int primary key, balance int); insert into a select i, 1000 from generate_series(1, 2000) i;
      create table b (id int primary key, balance int); insert into b select i, 1000 from generate_series(1, 2000) i;
      create table moves (n serial primary key, amount int)`);
    let running = true;
    const writers = Array.from({ length: 3 }, async (_, writer) => {
      const client = await server.connect(database);
      for (let n = 0; running; n++) {
        const amount = (n % 17) + 1;
        const [from, to] = (n + writer) % 2 ? ['a', 'b'] : ['b', 'a'];
        await client.query('begin');
        await client.query(
          `update ${from} set balance = balance - ${amount} where id = ${1 + ((n * 7 + writer) % 2000)}`,
        );
        await client.query(
          `update ${to} set balance = balance + ${amount} where id = ${1 + ((n * 13 + writer) % 2000)}`,
        );
        await client.query(`insert into moves (amount) values (${amount})`);
        await client.query(n % 10 === 0 ? 'rollback' : 'commit');
      }
      await client.end();
    });
    try {
      for (let round = 0; round < 5; round++) {
        const found = await readSnapshot(await open(database, { connections: 3 }));
        const balances = ['a', 'b'].flatMap((table) =>
          rawFieldsOf(found.get(`2-rows/public/${table}/main/all/rows`)!.content).map((row) =>
            row[1]!.readInt32BE(),
          ),
        );
        expect(balances).toHaveLength(4000);
        expect(balances.reduce((sum, each) => sum + each, 0)).toBe(4_000_000);
      }
    } finally {
      running = false;
      await Promise.all(writers);
    }
  });

  test('a table that is rewritten between snapshot and lock is not taken for an empty one', async () => {
    const database = await create(
      'create table t (id int primary key); insert into t select generate_series(1, 10)',
    );
    const other = await server.connect(database);
    await other.query('begin; truncate t; insert into t values (77)');
    const opening = open(database);
    await until(async () => {
      const rows = await server.query(
        `select 1 from pg_locks where not granted and relation = 't'::regclass`,
        database,
      );
      return rows.length > 0;
    });
    await other.query('commit');
    await other.end();
    const found = await readSnapshot(await opening);
    const rows = rawFieldsOf(found.get('2-rows/public/t/main/all/rows')!.content);
    expect(rows.map(([id]) => id!.readInt32BE())).toEqual([77]);
  });

  test('a table that is dropped while its lock is awaited', async () => {
    const database = await create(
      'create table t (id int primary key); create table kept (id int primary key)',
    );
    const other = await server.connect(database);
    await other.query('begin; drop table t');
    const opening = open(database);
    await until(
      async () =>
        (
          await server.query(
            `select 1 from pg_locks where not granted and mode = 'AccessShareLock'`,
            database,
          )
        ).length > 0,
    );
    await other.query('commit');
    await other.end();
    const found = await readSnapshot(await opening);
    expect(Array.from(found.keys()).filter((path) => path.endsWith('/rows'))).toEqual([
      '2-rows/public/kept/main/all/rows',
    ]);
  });

  test('a lock that is not given up in time names its table', async () => {
    const database = await create('create table free (id int); create table held (id int)');
    const other = await server.connect(database);
    await other.query('begin; lock table held in access exclusive mode');
    const error = await failing(open(database, { lockTimeoutMs: 200 }));
    await other.query('rollback');
    expect(error.code).toBe('SOURCE_UNREADABLE');
    expect(error.message).toContain('table public.held');
    expect(error.hint).toContain('pg_locks');
    // Nothing of ours is left behind that would block others.
    await other.query('begin; lock table free, held in access exclusive mode nowait; rollback');
    await other.end();
  });

  test('nobody waits for more than the table that is read: an ALTER queued behind the backup does not stop it', async () => {
    const database = await create(
      'create table t (id int primary key); insert into t select generate_series(1, 1000)',
    );
    const snapshot = await open(database, { connections: 2 });
    const other = await server.connect(database);
    const altering = other.query('alter table t add column v int');
    await until(
      async () =>
        (
          await server.query(
            `select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock'`,
            database,
          )
        ).length > 0,
    );
    const found = await readSnapshot(snapshot);
    expect(rawFieldsOf(found.get('2-rows/public/t/main/all/rows')!.content)).toHaveLength(1000);
    await altering;
    await other.end();
  });

  test('a backend that is terminated midway is an error, not an end', async () => {
    const database = await create(bigTable);
    const error = await readAround(database, async () => {
      await server.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where query like 'copy%' and datname = '${database}'`,
      );
    });
    expect(error.code).toBe('SOURCE_UNREADABLE');
    expect(error.message).toContain('table public.big');
    expect(error.message).toContain('lost');
  });

  test.each([false, true])(
    'while one range of a table is read, others are fetched (skipUnchanged: %s)',
    async (skipUnchanged) => {
      const database = await create(bigTable);
      const snapshot = await open(database, { connections: 3, skipUnchanged });
      for await (const object of snapshot.objects()) {
        const reader = await object.open();
        if (!isRowReader(reader)) continue;
        await reader.readRows(new Uint8Array(MAX_ROW_BYTES));
        await until(async () => {
          const copies = await server.query(
            `select distinct query from pg_stat_activity where query like 'copy%' and datname = '${database}'`,
          );
          return copies.length === 3;
        });
        await reader.close();
      }
      await snapshot.close();
    },
  );

  test('the server waits for whoever reads, instead of filling memory', async () => {
    const database = await create(bigTable.replace('primary key', ''));
    const snapshot = await open(database, { connections: 1 });
    for await (const object of snapshot.objects()) {
      const reader = await object.open();
      if (!isRowReader(reader)) continue;
      await reader.readRows(new Uint8Array(MAX_ROW_BYTES));
      // Without a pause it would soon have sent everything, and be idle.
      let waiting = 0;
      await until(async () => {
        const [backend] = await server.query(
          `select state, wait_event from pg_stat_activity where query like 'copy%' and datname = '${database}'`,
        );
        expect(backend.state).toBe('active');
        waiting = backend.wait_event === 'ClientWrite' ? waiting + 1 : 0;
        return waiting === 20;
      });
      await reader.close();
    }
    await snapshot.close();
  });

  test('a reader that is cancelled by an administrator midway', async () => {
    // Without a key it is one COPY, which is still running.
    const database = await create(bigTable.replace('primary key', ''));
    const error = await readAround(database, async () => {
      await server.query(
        `select pg_cancel_backend(pid) from pg_stat_activity where query like 'copy%' and datname = '${database}'`,
      );
    });
    expect(error.code).toBe('SOURCE_UNREADABLE');
    expect(error.message).toContain('cancelled');
  });

  test('a server that dies midway', async () => {
    const database = await create(bigTable);
    const error = await readAround(database, () => server.kill());
    expect(error.code).toBe('SOURCE_UNREADABLE');
    expect(error.message).toContain('lost');
    await server.resume();
    expect((await readSnapshot(await open(database))).has('4-sequences')).toBe(true);
  });

  test('stops for a signal while it waits for a lock, and while it reads', async () => {
    const database = await create(bigTable);
    const other = await server.connect(database);
    await other.query('begin; lock table big in access exclusive mode');
    const controller = new AbortController();
    const opening = failing(postgresSource(await optionsOf(database)).open({ signal: controller.signal }));
    await until(
      async () =>
        (
          await server.query(
            `select 1 from pg_locks where not granted and relation = 'big'::regclass`,
            database,
          )
        ).length > 0,
    );
    controller.abort();
    expect((await opening).code).toBe('CANCELLED');
    await other.query('rollback');
    await other.end();
    const snapshot = await open(database);
    const stop = new AbortController();
    for await (const object of snapshot.objects()) {
      if (displayPath(object.path) !== '2-rows/public/big/main/all/rows') continue;
      const reader = await object.open();
      const buffer = new Uint8Array(MAX_ROW_BYTES);
      await reader.read(buffer, { signal: stop.signal });
      stop.abort();
      expect((await failing(reader.read(buffer, { signal: stop.signal }))).code).toBe('CANCELLED');
      break;
    }
    await snapshot.close();
    await until(
      async () =>
        (
          await server.query(
            `select 1 from pg_stat_activity where application_name = 'holdfast' and datname = '${database}'`,
          )
        ).length === 0,
    );
  });
});

describe.skipIf(missing !== null || (await PostgresServer.missing(17)) !== null)(
  'PostgreSQL newer than pg_dump',
  () => {
    test('says which package to install', async () => {
      await using server = await PostgresServer.start({ major: 17 });
      const options = {
        ...(await optionsFor(server, 'postgres')),
        pgDump: '/usr/lib/postgresql/15/bin/pg_dump',
      };
      const source = postgresSource(options);
      const error = await failing(source.open());
      expect(error.code).toBe('SOURCE_UNREADABLE');
      expect(error.message).toContain(
        'The server is of version 17, and pg_dump (/usr/lib/postgresql/15/bin/pg_dump) of 15',
      );
      expect(error.hint).toContain('postgresql-client-17');
      expect((await source.test()).facts.pg_dump).toContain('postgresql-client-17');
    });
  },
);
