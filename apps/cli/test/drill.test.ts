import type { RowsDescription } from '@holdfast/formats/rows';
import { DatabaseSums } from '@holdfast/sources/postgres';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRows } from '../src/drill/compare-rows.ts';
import { withRemoval } from '../src/drill/stopwatch.ts';

const missing = await PostgresServer.missing();
const VARIABLE = 'HOLDFAST_TEST_DRILL';
const rowKey = new Uint8Array(32).fill(1);

const rowsOf = (table: string): RowsDescription => ({
  ...{ dialect: 'postgres', schema: 'public', table, family: null, window: null, keyColumns: 1 },
  columns: [{ name: 'id', type: 'integer', typeId: 23, encoding: 'binary', notNull: false }],
});
const recorded = (...tables: string[]) =>
  tables.map((table) => ({ rows: rowsOf(table), index: { rows: 0, checksum: new Uint8Array(16) } }));

describe.skipIf(missing !== null)('comparing tables', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
    process.env[VARIABLE] = server.password;
    await server.query(`CREATE TABLE empty (id int);
      CREATE VIEW slow AS SELECT i AS id FROM generate_series(1, 1000000) i WHERE pg_sleep(0.001) IS NOT NULL`);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const readers = (count: number): Promise<DatabaseSums[]> => {
    const { host, port, user } = server;
    const options = { host, port, user, database: 'postgres', passwordEnv: VARIABLE };
    return Promise.all(Array.from({ length: count }, () => DatabaseSums.connect(options)));
  };
  const slowOnes = async (): Promise<number> =>
    (await server.query("SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY%slow%'"))
      .length;

  it('is told of as it goes, and more readers than tables do no harm', async () => {
    const open = await readers(3);
    const told: number[] = [];
    const onTable = (done: number) => void told.push(done);
    const all = await compareRows(recorded('empty', 'empty'), open, {
      rowKey,
      onTable,
      signal: new AbortController().signal,
    });
    expect(all.map(({ same }) => same)).toEqual([true, true]);
    expect(told).toEqual([1, 2]);
    await Promise.all(open.map((reader) => reader.end()));
  });

  it('ends at once when it is told to, on the server too', async () => {
    const open = await readers(2);
    const controller = new AbortController();
    const comparing = compareRows(recorded('slow', 'slow', 'slow'), open, {
      rowKey,
      onTable: () => {},
      signal: controller.signal,
    });
    while ((await slowOnes()) < 2);
    controller.abort(new Error('enough'));
    await expect(comparing).rejects.toThrow('enough');
    await Promise.all(open.map((reader) => reader.end()));
    while ((await slowOnes()) > 0);
  });

  it('one that fails ends the others, and is what is told', async () => {
    const open = await readers(2);
    const comparing = compareRows(recorded('slow', 'gone'), open, {
      rowKey,
      onTable: () => {},
      signal: new AbortController().signal,
    });
    await expect(comparing).rejects.toThrow(/gone/);
    await Promise.all(open.map((reader) => reader.end()));
  });
});

describe('what was prepared', () => {
  it('is removed in any case, and the first failure is told', async () => {
    let removed = 0;
    const remove = async (): Promise<void> => void removed++;
    expect(await withRemoval(async () => 7, remove)).toBe(7);
    await expect(
      withRemoval(
        () => Promise.reject(new Error('first')),
        async () => {
          removed++;
          throw new Error('second');
        },
      ),
    ).rejects.toThrow('first');
    await expect(
      withRemoval(
        async () => 7,
        () => Promise.reject(new Error('second')),
      ),
    ).rejects.toThrow('second');
    expect(removed).toBe(2);
  });
});
