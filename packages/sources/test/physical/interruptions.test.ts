import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { describe, expect, test, vi } from 'vitest';
import { begun, forEver, insert, recovered, SHORT_MEMORY, writeMuch } from './notes.ts';
import { until } from './shelf.ts';

const missing = await PostgresServer.missing(15);

// Servers start and recover several times in a test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(missing)('while WAL is received', () => {
  test('the server is killed and comes back', async () => {
    await using world = await begun();
    await insert(world.server, 'before');
    for (let round = 0; round < 3; round++) {
      await world.server.kill();
      await world.server.resume();
      await insert(world.server, `after ${round}`);
    }
    await world.stored();
    expect(world.of('disconnected').length).toBeGreaterThan(0);
    expect(world.of('gap')).toEqual([]);
    expect(await recovered(world)).toEqual(['after 0', 'after 1', 'after 2', 'before']);
  });

  test('the server dies for good: what it had sent is stored', async () => {
    await using world = await begun({}, { maxLag: 3_600_000 });
    await insert(world.server, 'the last words');
    await until(() => world.protection.status().receivedLsn! > world.protection.status().storedLsn!);
    await world.server.kill();
    await until(() => world.of('disconnected').length > 0 && world.of('wal-stored').length > 0);
    expect(await recovered(world)).toEqual(['the last words']);
  });

  test.each(['before it is stored', 'after it is stored'])(
    'Holdfast dies %s, before it is confirmed',
    async (when) => {
      await using world = await begun(SHORT_MEMORY);
      await world.stored();
      await world.unprotect();
      let hung = false;
      world.protect({
        async storeSnapshot(source, what, signal) {
          if (what === 'wal' && when === 'after it is stored') await world.shelf.store(source);
          hung = true;
          await forEver(signal);
        },
      });
      await world.server.query(`insert into notes values ('one'); select pg_switch_wal()`);
      await until(() => hung);
      await insert(world.server, 'two');
      // WAL that had been confirmed would be gone now.
      await writeMuch(world.server, 6);
      await world.unprotect();
      world.protect();
      await insert(world.server, 'three');
      await world.stored();
      expect(world.of('gap')).toEqual([]);
      expect(await recovered(world)).toEqual(['one', 'three', 'two']);
    },
  );

  test('a standby is promoted', async () => {
    await using world = await begun();
    const { server } = world;
    await insert(server, 'primary');
    await server.stop();
    await writeFile(join(server.dataDirectory, 'standby.signal'), '');
    await server.resume();
    await until(() => world.of('connected').length > 1);
    await server.query('select pg_promote()');
    await insert(server, 'promoted');
    await until(() => world.of('timeline').length > 0);
    await insert(server, 'later');
    await world.stored();
    expect(world.of('timeline')[0]).toMatchObject({ from: 1, to: 2, abandoned: 0 });
    expect(world.of('gap')).toEqual([]);
    const plan = world.shelf.plan('latest');
    expect(plan.base.timeline).toBe(1);
    expect(plan.timeline).toBe(2);
    expect(await recovered(world)).toEqual(['later', 'primary', 'promoted']);
  });

  test('the server shuts down without waiting for what is not yet stored', async () => {
    await using world = await begun();
    await world.stored();
    await world.unprotect();
    let storing = false;
    world.protect({
      async storeSnapshot(_source, _what, signal) {
        storing = true;
        await forEver(signal);
      },
    });
    await insert(world.server, 'one');
    await until(() => storing);
    await world.server.stop();
    await world.unprotect();
    await world.server.resume();
    world.protect();
    await world.stored();
    expect(await recovered(world)).toEqual(['one']);
  });
});
