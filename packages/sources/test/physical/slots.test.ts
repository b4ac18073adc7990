import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { describe, expect, test, vi } from 'vitest';
import { formatMicros } from '../../src/postgres/wal/lsn.ts';
import { begun, insert, recovered, SHORT_MEMORY, writeMuch } from './notes.ts';
import { until } from './shelf.ts';

const missing = await PostgresServer.missing(15);

// Servers start and recover several times in a test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(missing)('the slot', () => {
  test('is dropped by somebody, with its WAL still there: told at once, nothing lost', async () => {
    await using world = await begun();
    await insert(world.server, 'one');
    await world.stored();
    await world.server.query(`select pg_terminate_backend(active_pid) from pg_replication_slots;
      select pg_sleep(0.1); select pg_drop_replication_slot(slot_name) from pg_replication_slots`);
    await until(() => world.of('slot-lost').length > 0);
    expect(world.of('slot-lost')[0]!.reason).toBe('slot-missing');
    await insert(world.server, 'two');
    await world.stored();
    expect(world.of('gap')).toEqual([]);
    expect(await recovered(world)).toEqual(['one', 'two']);
  });

  test('is dropped and its WAL is gone: the gap is told, a new base taken, and the moments in it refused', async () => {
    await using world = await begun(SHORT_MEMORY);
    const { server } = world;
    await insert(server, 'one');
    await world.stored();
    await until(() => world.shelf.wals.some(({ coveredUntil }) => coveredUntil !== null));
    await world.unprotect();
    await server.query(`select pg_drop_replication_slot('holdfast_test')`);
    await insert(server, 'in the gap');
    const [{ at }] = await server.query(
      `select (extract(epoch from clock_timestamp()) * 1000000)::bigint::text as at`,
    );
    await writeMuch(server, 6);
    world.protect();
    await until(() => world.of('gap').length > 0);
    expect(world.of('gap')[0]).toMatchObject({
      reason: 'slot-missing',
      from: world.shelf.plan('latest').reach,
    });
    await world.base(2);
    await insert(server, 'two');
    await world.stored();
    expect(await recovered(world)).toEqual(['in the gap', 'one', 'two']);
    const refused = expect.objectContaining({
      code: 'WAL_GAP',
      message: expect.stringMatching(/missing from .* to .*before is .*after is/),
    });
    expect(() => world.shelf.plan(formatMicros(BigInt(at)))).toThrow(refused);
  });

  test('knows after a restart of Holdfast that a base from before a gap is of no use', async () => {
    await using world = await begun(SHORT_MEMORY);
    await world.stored();
    await world.unprotect();
    await world.server.query(`select pg_drop_replication_slot('holdfast_test')`);
    await writeMuch(world.server, 6);
    world.protect({
      storeSnapshot: async (source, what, signal) => {
        if (what === 'base') throw new Error('not now');
        await world.shelf.store(source, signal);
      },
    });
    await until(() => world.of('gap').length > 0);
    await world.stored();
    await world.unprotect();
    expect(world.shelf.bases).toHaveLength(1);
    world.protect();
    await until(() => world.shelf.bases.length === 2);
    await world.stored();
    expect(world.shelf.plan('latest').base.id).toBe(world.shelf.bases[1]!.id);
  });
});
