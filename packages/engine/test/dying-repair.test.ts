import { afterEach, describe, expect, it, vi } from 'vitest';
import { backUp, rejection } from './content.ts';
import type { Death } from './mortal/deaths.ts';
import { collecting, OBJECTS, type Restarts } from './mortal/sound.ts';
import { fate, threadsRunning } from './mortal/threads.ts';
import { POLICY } from './test-vault.ts';
import { newVault } from './vaults.ts';

vi.mock('node:worker_threads', async (original) => {
  const { mortal } = await import('./mortal/threads.ts');
  return mortal(await original());
});

afterEach(() => expect(threadsRunning()).toBe(0));

/** A vault of a Clay code whose peers have lost a shard of each partition. */
async function withLosses() {
  const policy = { ...POLICY, k: 4, m: 2, helpers: 5, maxPerOperator: 1 };
  const vault = await newVault({ peers: 7, policy });
  fate();
  await backUp(vault.engine, OBJECTS);
  for (const { id, epoch, shards } of vault.catalog.partitionsEver.values()) {
    vault.stores.get(shards[2]!.peer)!.lose(vault.context.keys.shardId(epoch, id, 2));
  }
  return { vault, lost: vault.catalog.partitionsEver.size };
}

describe('a repair whose sealing thread dies', { timeout: 60_000 }, () => {
  it.each<Death>([
    { at: 'got rebuild', nth: 1 },
    { at: 'got rebuild', nth: 3, times: 2 },
    { at: 'repair', nth: 2, how: 'throw' },
    { at: 'repair', nth: 1, how: 'memory' },
  ])('is as good as any: $at, time $nth', async (death) => {
    const { vault, lost } = await withLosses();
    const restarts: Restarts = [];
    fate(death);
    const report = await vault.engine.repair({ read: false, onEvent: collecting(restarts) });
    expect(report).toMatchObject({ repairedShards: lost, repairedFromParts: lost, failed: [], lost: [] });
    expect(restarts).toHaveLength(death.times ?? 1);
    fate();
    expect(await vault.engine.verify({ sample: 1 })).toMatchObject({ healthy: true });
  });

  it('ends with the partition’s name where each thread dies of it', async () => {
    const { vault } = await withLosses();
    fate({ at: 'repair', nth: 1, times: 99 });
    const error = await rejection(vault.engine.repair({ read: false }));
    expect(error.code).toBe('WORKER_DIED');
    expect(error.message).toMatch(/died 3 times while making shards of partition [0-9a-f-]{36} again/);
    fate();
    expect((await vault.engine.repair({ read: false })).lost).toEqual([]);
  });
});
