import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { describe, expect, test } from 'vitest';
import { formatMicros } from '../../src/postgres/wal/lsn.ts';
import { ProtectedServer } from './protected-server.ts';

const ids = async (client: { query(sql: string): Promise<{ rows: { id: number }[] }> }): Promise<number[]> =>
  (await client.query('select id from journal order by id')).rows.map(({ id }) => id);

/** Rows one after the other, each a transaction, while others move money about. */
async function write(server: PostgresServer, count: number): Promise<void> {
  const client = await server.connect();
  for (let i = 0; i < count; i++) await client.query('insert into journal default values');
  await client.end();
}

function moveMoney(server: PostgresServer): () => Promise<number> {
  let stopped = false;
  const mover = async (): Promise<number> => {
    const client = await server.connect();
    let moved = 0;
    for (; !stopped; moved++) {
      const [a, b] = [Math.ceil(Math.random() * 1000), Math.ceil(Math.random() * 1000)];
      await client.query(
        `begin; update accounts set balance = balance - 1 where id = ${a}; update accounts set balance = balance + 1 where id = ${b}; commit`,
      );
    }
    await client.end();
    return moved;
  };
  const movers = [mover(), mover()];
  return async () => {
    stopped = true;
    return (await Promise.all(movers)).reduce((a, b) => a + b);
  };
}

const missing = Object.fromEntries(
  await Promise.all(
    ([13, 15, 17] as const).map(async (major) => [major, await PostgresServer.missing(major)]),
  ),
);

describe.each([13, 15, 17] as const)('PostgreSQL %i', (major) => {
  test.skipIf(missing[major])(
    'restores to a time, a position, a name and the end',
    async () => {
      await using world = await ProtectedServer.start({ major });
      const { server } = world;
      await server.query(`create table journal (id serial primary key);
      create table accounts as select id, 100 as balance, repeat('x', 200) as filler from generate_series(1, 1000) id;
      create unlogged table scratch as select generate_series(1, 1000) id`);
      const stop = moveMoney(server);
      world.protect();
      await world.base();
      await write(server, 20);
      const [{ lsn }] = await server.query('select pg_current_wal_insert_lsn()::text as lsn');
      await write(server, 20);
      await server.query(`select pg_create_restore_point('before the mistake')`);
      await write(server, 20);
      expect(await stop()).toBeGreaterThan(10);
      await world.stored();

      const times: { id: number; micros: string }[] = await server.query(
        `select id, (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::bigint::text as micros from journal order by id`,
      );
      const between = BigInt(times[9]!.micros);
      expect(BigInt(times[10]!.micros)).toBeGreaterThan(between);
      const first = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
      const cases: [string, number[]][] = [
        [formatMicros(between), first(10)],
        [formatMicros(between - 1n), first(9)],
        [lsn, first(20)],
        ['before the mistake', first(40)],
        ['latest', first(60)],
      ];
      for (const [target, expected] of cases) {
        const client = await world.recover(target);
        expect(await ids(client), target).toEqual(expected);
        const { rows } = await client.query(
          'select sum(balance)::int as sum, count(*)::int as count from accounts',
        );
        expect(rows[0]).toEqual({ sum: 100_000, count: 1000 });
        await client.query('insert into journal default values');
        expect((await client.query('select count(*)::int as n from scratch')).rows[0].n).toBe(0);
        await client.end();
      }
    },
    120_000,
  );
});
