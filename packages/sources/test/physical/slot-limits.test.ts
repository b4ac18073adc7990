import { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import { describe, expect, test, vi } from 'vitest';
import { begun, insert, recovered, SHORT_MEMORY, writeMuch } from './notes.ts';
import { until } from './shelf.ts';

const missing = await PostgresServer.missing(15);

// Servers start and recover several times in a test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(missing)('the slot', () => {
  test('is given up by the server when storing takes too long', async () => {
    await using world = await begun({ ...SHORT_MEMORY, max_slot_wal_keep_size: '16MB' });
    await world.stored();
    await world.unprotect();
    let blocked = true;
    world.protect({
      async storeSnapshot(source, _what, signal) {
        await until(() => !blocked || signal.aborted, 60);
        await world.shelf.store(source, signal);
      },
    });
    expect(world.of('advice')).toEqual([]);
    await insert(world.server, 'one');
    await until(() => world.protection.status().receivedLsn !== null);
    // The receiver takes no more than fits its memory, and confirms nothing.
    await writeMuch(world.server, 8);
    await until(() => world.of('gap').length > 0);
    expect(world.of('slot-lost').at(-1)!.reason).toBe('slot-invalidated');
    expect(world.of('gap')[0]!.reason).toBe('slot-invalidated');
    blocked = false;
    await until(() => world.shelf.bases.length === 2);
    await insert(world.server, 'two');
    await world.stored();
    expect(await recovered(world)).toEqual(['one', 'two']);
  });

  test('is dropped by us at the limit, loudly, rather than fill the server’s disk', async () => {
    await using world = await begun(SHORT_MEMORY);
    await world.stored();
    await world.unprotect();
    let blocked = true;
    world.protect({
      dropBytes: 64 * 2 ** 20,
      bufferBytes: 2 ** 20,
      async storeSnapshot(source, _what, signal) {
        await until(() => !blocked || signal.aborted, 60);
        await world.shelf.store(source, signal);
      },
    });
    await until(() => world.of('connected').length > 1);
    await insert(world.server, 'one');
    await writeMuch(world.server, 3);
    await until(() => world.of('slot-growth').length > 0);
    await writeMuch(world.server, 3);
    await until(() => world.of('gap').length > 0);
    expect(world.of('slot-dropped')[0]).toMatchObject({ limitBytes: 64 * 2 ** 20 });
    expect(world.of('gap')[0]!.reason).toBe('slot-dropped');
    blocked = false;
    await until(() => world.shelf.bases.length === 2);
    await insert(world.server, 'two');
    await world.stored();
    expect(await recovered(world)).toEqual(['one', 'two']);
  });
});
