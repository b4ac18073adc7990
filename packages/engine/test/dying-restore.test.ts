import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { expectSame, rejection, restore } from './content.ts';
import type { Death, Point } from './mortal/deaths.ts';
import { backUpAndDie, collecting, OBJECTS, type Restarts } from './mortal/sound.ts';
import { fate, passed, threadsRunning } from './mortal/threads.ts';
import type { TestVault } from './test-vault.ts';
import { newVault } from './vaults.ts';

vi.mock('node:worker_threads', async (original) => {
  const { mortal } = await import('./mortal/threads.ts');
  return mortal(await original());
});

afterEach(() => expect(threadsRunning()).toBe(0));

/** A vault with a snapshot; of two peers nothing can be had, so that primaries have to be rebuilt. */
async function backedUp(workers = 1) {
  const vault = await newVault({ peers: 7, workers });
  const { report } = await backUpAndDie(vault);
  for (const peer of vault.peers.slice(0, 2)) vault.transport.faults(peer).down = true;
  return { vault, snapshot: report.snapshot.id };
}

async function restoreAndDie(
  { vault, snapshot }: Awaited<ReturnType<typeof backedUp>>,
  ...deaths: Death[]
): Promise<Restarts> {
  const restarts: Restarts = [];
  fate(...deaths);
  const { sink } = await restore(vault.engine, snapshot, { onEvent: collecting(restarts) });
  expectSame(sink, OBJECTS);
  return restarts;
}

/** What a verification says of partitions, whatever it says of peers. */
async function verifyAndDie(vault: TestVault, ...deaths: Death[]) {
  const restarts: Restarts = [];
  fate(...deaths);
  const report = await vault.engine.verify({ sample: 1, onEvent: collecting(restarts) });
  return { report, restarts };
}

const READING: readonly Point[] = [
  'got open',
  'open a shard',
  'got inflate',
  'decompress',
  'before result',
  'after result',
];

describe('a restore whose sealing thread dies', { timeout: 60_000 }, () => {
  it.each<Death>([
    { at: 'got open', nth: 1 },
    { at: 'got open', nth: 4, times: 2 },
    { at: 'open a shard', nth: 2 },
    { at: 'open a shard', nth: 12, how: 'memory' },
    { at: 'got inflate', nth: 2, times: 2 },
    { at: 'got inflate', nth: 9, how: 'throw' },
    { at: 'decompress', nth: 2 },
    { at: 'decompress', nth: 3, how: 'memory' },
    { at: 'before result', nth: 3 },
    { at: 'after result', nth: 4, how: 'later' },
    { at: 'after result', nth: 9 },
  ])('is as good as any: $at, time $nth', async (death) => {
    expect(await restoreAndDie(await backedUp(), death)).toHaveLength(death.times ?? 1);
  });

  it('is as good as any though every lane loses its thread, and again', async () => {
    const given = await backedUp(3);
    // Each thread answers once before it dies; else it would be the same job that kills three.
    const points: readonly Point[] = ['got open', 'got inflate', 'before result'];
    const deaths = points.flatMap((at) =>
      [0, 1, 2, 3, 4, 5].map((thread): Death => ({ at, nth: 2, thread })),
    );
    expect((await restoreAndDie(given, ...deaths)).length).toBeGreaterThanOrEqual(3);
  });

  it('is as good as any whenever it dies', { timeout: 180_000 }, async () => {
    const given = await backedUp(2);
    let failed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.constantFrom(...READING), nth: fc.integer({ min: 1, max: 30 }) }), {
          minLength: 1,
          maxLength: 8,
        }),
        async (deaths) => {
          await restoreAndDie(given, ...deaths).catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'WORKER_DIED' });
            failed++;
          });
        },
      ),
      { numRuns: 12 },
    );
    expect(failed).toBeLessThan(6);
  });

  it.each<Death & { what: string }>([
    { at: 'open a shard', nth: 1, times: Infinity, what: 'opening' },
    { at: 'decompress', nth: 2, times: Infinity, what: 'decompressing frame' },
  ])('ends with the name of a job that no thread survives: $at', async ({ what, ...death }) => {
    const { vault, snapshot } = await backedUp();
    fate(death);
    const restarts: Restarts = [];
    const error = await rejection(restore(vault.engine, snapshot, { onEvent: collecting(restarts) }));
    expect(error.code).toBe('WORKER_DIED');
    const { partition } = error.details as { partition: string };
    expect(error.message).toMatch(new RegExp(`died 3 times while ${what} .*${partition}`));
    expect([...vault.catalog.partitionsEver.keys()]).toContain(partition);
    expect(restarts).toHaveLength(2);
    expect(threadsRunning()).toBe(0);
    expect(await restoreAndDie({ vault, snapshot })).toEqual([]);
  });

  it('stops when asked to, and starts no other thread', async () => {
    const { vault, snapshot } = await backedUp();
    const controller = new AbortController();
    fate({ at: 'got inflate', nth: 3 }, { at: 'got inflate', nth: 4 });
    const error = await rejection(
      restore(vault.engine, snapshot, {
        signal: controller.signal,
        onEvent: ({ type }) => type === 'worker-restarted' && controller.abort(),
      }),
    );
    expect(error.code).toBe('CANCELLED');
    expect(passed('start')).toBeLessThanOrEqual(2);
  });
});

describe('a verification whose sealing thread dies', { timeout: 60_000 }, () => {
  it.each<Death>([
    { at: 'got open', nth: 3 },
    { at: 'open a shard', nth: 5, times: 2 },
    { at: 'got inflate', nth: 7 },
    { at: 'decompress', nth: 1 },
    { at: 'before result', nth: 6 },
    { at: 'after result', nth: 10 },
  ])('finds what any finds: $at, time $nth', async (death) => {
    const { vault } = await backedUp();
    const { report: before } = await verifyAndDie(vault);
    const { report, restarts } = await verifyAndDie(vault, death);
    expect(restarts).toHaveLength(death.times ?? 1);
    expect(report.restorable).toBe(true);
    const { seconds: _, faults: __, ...found } = report;
    expect(before).toMatchObject(found);
  });

  it('does not call a partition lost because a thread dies of it', async () => {
    const { vault } = await backedUp();
    fate({ at: 'open a shard', nth: 8, times: Infinity });
    const error = await rejection(vault.engine.verify({ sample: 1 }));
    expect(error).toMatchObject({ code: 'WORKER_DIED', details: { partition: expect.any(String) } });
  });
});
