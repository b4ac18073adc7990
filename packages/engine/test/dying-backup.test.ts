import type { ShardTransport } from '@holdfast/contracts';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { backUp } from './content.ts';
import type { Death, Point } from './mortal/deaths.ts';
import {
  backUpAndDie,
  collecting,
  expectNothingTwice,
  expectSound,
  interrupted,
  OBJECTS,
  type Restarts,
  slowly,
} from './mortal/sound.ts';
import { fate, threadsRunning, threadsStarted } from './mortal/threads.ts';
import { POLICY } from './test-vault.ts';
import { newVault } from './vaults.ts';

vi.mock('node:worker_threads', async (original) => {
  const { mortal } = await import('./mortal/threads.ts');
  return mortal(await original());
});

afterEach(() => expect(threadsRunning()).toBe(0));

describe('a backup whose sealing thread dies', { timeout: 60_000 }, () => {
  it.each<Death>([
    { at: 'got frame', nth: 1 },
    { at: 'got frame', nth: 3 },
    { at: 'compress', nth: 4 },
    { at: 'compress', nth: 4, times: 2 },
    { at: 'compress', nth: 4, how: 'memory' },
    { at: 'compress', nth: 4, how: 'throw' },
    { at: 'compress', nth: 4, how: 'later' },
    { at: 'before closing', nth: 1 },
    { at: 'after closing', nth: 1 },
    { at: 'after closing', nth: 2 },
    { at: 'seal a shard', nth: 2 },
    { at: 'seal a shard', nth: 6 },
    { at: 'seal a piece', nth: 9, how: 'memory' },
    { at: 'seal a piece', nth: 15, times: 2 },
    { at: 'code', nth: 1 },
    { at: 'code', nth: 2, how: 'throw' },
    { at: 'before sealed', nth: 1 },
    { at: 'before sealed', nth: 2, times: 2 },
    { at: 'after sealed', nth: 1 },
    { at: 'after sealed', nth: 2 },
    { at: 'before result', nth: 2 },
    { at: 'after result', nth: 3 },
    { at: 'got flush', nth: 1 },
    { at: 'got flush', nth: 3 },
  ])('completes: $at, time $nth', async (death) => {
    const vault = await newVault({ peers: 7 });
    const { report, restarts } = await backUpAndDie(vault, death);
    expect(restarts).toHaveLength(death.times ?? 1);
    expect(threadsStarted()).toBe(1 + restarts.length);
    await expectSound(vault, report);
    expectNothingTwice(vault);
  });

  it('completes though the one that takes over dies of it too', async () => {
    const vault = await newVault({ peers: 7 });
    const { report, restarts } = await backUpAndDie(
      vault,
      { at: 'before sealed', nth: 1 },
      { at: 'got adopt', nth: 1 },
    );
    expect(restarts.map(({ job }) => job)).toEqual([
      expect.stringMatching(/^while sealing partition /),
      expect.stringMatching(/^while sealing partition /),
    ]);
    expect(restarts[0]).toEqual({ ...restarts[1], reason: 'The thread ended with code 7.' });
    await expectSound(vault, report);
    expectNothingTwice(vault);
  });

  it('says what it died of', async () => {
    const vault = await newVault({ peers: 7 });
    const { restarts } = await backUpAndDie(
      vault,
      { at: 'compress', nth: 2, how: 'memory' },
      { at: 'compress', nth: 5, how: 'throw' },
    );
    expect(restarts.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/memory/),
      'The test throws at "compress".',
    ]);
    expect(restarts[0]!.job).toMatch(/^while compressing \d+ bytes in chunks [0-9a-f]{64}/);
  });

  it('completes though every lane loses its thread', async () => {
    const policy = { ...POLICY, k: 2, m: 3, maxPerOperator: 1 };
    const vault = await newVault({ peers: 7, workers: 3, policy });
    const { report, restarts } = await backUpAndDie(
      vault,
      ...[0, 1, 2].map((thread): Death => ({ at: 'got frame', nth: 2, thread })),
    );
    expect(restarts).toHaveLength(3);
    await expectSound(vault, report);
    expectNothingTwice(vault);
  });

  it('completes though a thread dies with nothing to do', async () => {
    const vault = await newVault({ peers: 7 });
    // When the manifest has been flushed there is nothing more to seal, but shards have yet to be sent.
    const restarts: Restarts = [];
    const onEvent = collecting(restarts);
    fate({ at: 'got flush', nth: 3, how: 'later' });
    const report = await slowly(vault, () => backUp(vault.engine, OBJECTS, { onEvent }), 250);
    expect(restarts).toMatchObject([{ job: 'with nothing to do' }]);
    await expectSound(vault, report);
  });

  it('completes though it happens again and again', async () => {
    const vault = await newVault({ peers: 7 });
    const { report } = await backUpAndDie(
      vault,
      { at: 'after sealed', nth: 1 },
      { at: 'after sealed', nth: 2 },
      { at: 'compress', nth: 9 },
    );
    await expectSound(vault, report);
    expectNothingTwice(vault);
  });
});

const SEALING: readonly Point[] = [
  'got frame',
  'got flush',
  'got adopt',
  'got reseal',
  'compress',
  'seal a shard',
  'seal a piece',
  'code',
  'before closing',
  'after closing',
  'before sealed',
  'after sealed',
  'before result',
  'after result',
];

const deaths = (points: readonly Point[]): fc.Arbitrary<Death[]> =>
  fc.array(
    fc.record({
      at: fc.constantFrom(...points),
      nth: fc.integer({ min: 1, max: 24 }),
      how: fc.constantFrom('exit', 'throw', 'later'),
    }),
    { minLength: 1, maxLength: 8 },
  );

describe('whenever threads die', { timeout: 180_000 }, () => {
  it('a backup completes, or says that it cannot, and the next one goes on', async () => {
    let failed = 0;
    await fc.assert(
      fc.asyncProperty(
        deaths(SEALING),
        fc.integer({ min: 1, max: 3 }),
        fc.option(fc.integer({ min: 1, max: 12 })),
        async (schedule, workers, interrupt) => {
          const vault = await newVault({ peers: 7, workers });
          fate();
          if (interrupt !== null) await interrupted(vault, interrupt);
          let report = await backUpAndDie(vault, ...schedule).then(
            (result) => result.report,
            (error: unknown) => {
              expect(error).toMatchObject({ code: 'WORKER_DIED' });
              return null;
            },
          );
          if (report === null) {
            failed++;
            ({ report } = await backUpAndDie(vault));
          }
          await expectSound(vault, report);
        },
      ),
      { numRuns: 12 },
    );
    // Three deaths must meet one job.
    expect(failed).toBeLessThan(6);
  });
});

describe('a partition that an interrupted run left half sent', { timeout: 60_000 }, () => {
  it.each<Death>([
    { at: 'got reseal', nth: 1 },
    { at: 'seal a shard', nth: 2 },
    { at: 'code', nth: 1 },
    { at: 'before result', nth: 1 },
    { at: 'after result', nth: 1 },
  ])('is continued though the thread that seals it again dies: $at', async (death) => {
    const vault = await newVault({ peers: 7 });
    fate();
    await interrupted(vault, 3);
    const stored = new Set([...vault.stores.values()].flatMap((store) => store.all().map(({ id }) => id)));
    const sent: string[] = [];
    const put: ShardTransport['put'] = (peer, shard, options) => {
      sent.push(shard.id);
      return vault.transport.put(peer, shard, options);
    };
    const restarts: Restarts = [];
    const engine = await vault.reopen({ transport: { ...vault.transport, put } });
    fate(death);
    const onEvent = collecting(restarts);
    // Long enough for the next thread to use the arena, if it were told that it may.
    const report = await slowly(vault, () => backUp(engine, OBJECTS, { onEvent }), 400);
    expect(restarts).toHaveLength(1);
    expect(report.shardsResumed).toBeGreaterThan(0);
    expect(new Set(sent).size).toBe(sent.length);
    expect(sent.filter((id) => stored.has(id as never))).toEqual([]);
    await expectSound(vault, report);
    expectNothingTwice(vault);
  });
});
