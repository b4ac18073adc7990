import { afterEach, describe, expect, it, vi } from 'vitest';
import { backUp, rejection } from './content.ts';
import type { Death } from './mortal/deaths.ts';
import {
  backUpAndDie,
  collecting,
  expectSound,
  interrupted,
  OBJECTS,
  type Restarts,
} from './mortal/sound.ts';
import { fate, threadsRunning, threadsStarted } from './mortal/threads.ts';
import { newVault } from './vaults.ts';

vi.mock('node:worker_threads', async (original) => {
  const { mortal } = await import('./mortal/threads.ts');
  return mortal(await original());
});

afterEach(() => expect(threadsRunning()).toBe(0));

describe('a job that no thread survives', { timeout: 60_000 }, () => {
  it('ends a backup with what it was, and the next one goes on', async () => {
    const vault = await newVault({ peers: 7, workers: 2 });
    fate({ at: 'compress', nth: 6, times: Infinity });
    const restarts: Restarts = [];
    const error = await rejection(backUp(vault.engine, OBJECTS, { onEvent: collecting(restarts) }));
    expect(error.code).toBe('WORKER_DIED');
    expect(error.message).toMatch(/died 3 times while compressing \d+ bytes in chunks [0-9a-f]{64}/);
    const { chunks, objects } = error.details as { chunks: string[]; objects: string[] };
    expect(error.message).toContain(chunks[0]!);
    expect(error.message).toContain(`content of ${objects[0]}`);
    const paths = OBJECTS.map(({ path }) => path);
    expect(objects.filter((path) => !paths.includes(path))).toEqual([]);
    expect(restarts.length).toBeGreaterThanOrEqual(2);
    expect(await vault.catalog.snapshots()).toEqual([]);
    expect(threadsRunning()).toBe(0);
    const { report } = await backUpAndDie(vault);
    await expectSound(vault, report);
  });

  it.each<Death>([
    { at: 'seal a shard', nth: 2, times: Infinity },
    { at: 'got adopt', nth: 1, times: Infinity },
  ])('names the partition: $at', async (death) => {
    const vault = await newVault({ peers: 7 });
    fate({ at: 'before sealed', nth: 1 }, death);
    const error = await rejection(backUp(vault.engine, OBJECTS));
    const { partition } = error.details as { partition: string };
    expect(error.message).toContain(`died 3 times while sealing partition ${partition}`);
    const { report } = await backUpAndDie(vault);
    await expectSound(vault, report);
  });

  it('is no reason to give up the partition of an interrupted run', async () => {
    const vault = await newVault({ peers: 7 });
    fate();
    await interrupted(vault, 3);
    const journalled = await vault.catalog.journalledPartitions();
    fate({ at: 'got reseal', nth: 1, times: Infinity });
    const error = await rejection(backUp(vault.engine, OBJECTS));
    const { partition } = error.details as { partition: string };
    expect(error.message).toContain(`died 3 times while sealing partition ${partition} again`);
    expect(journalled.map(({ stripe }) => stripe.id)).toContain(partition);
    expect((await vault.catalog.journalledPartitions()).map(({ stripe }) => stripe.id)).toContain(partition);
    const { report } = await backUpAndDie(vault);
    expect(report.shardsResumed).toBeGreaterThan(0);
    await expectSound(vault, report);
  });

  it('is not looked for when threads cannot even start', async () => {
    const vault = await newVault({ peers: 7, workers: 2 });
    fate({ at: 'start', nth: 1, times: Infinity });
    const error = await rejection(backUp(vault.engine, OBJECTS));
    expect(error).toMatchObject({ code: 'WORKER_DIED', message: expect.stringMatching(/could not start/) });
    expect(threadsStarted()).toBe(2);
    fate({ at: 'compress', nth: 2 }, { at: 'start', nth: 3, how: 'throw' });
    expect((await rejection(backUp(vault.engine, OBJECTS))).message).toBe(
      'A sealing thread could not start: The test throws at "start".',
    );
    expect(threadsStarted()).toBe(3);
  });
});
