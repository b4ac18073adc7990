import type { ShardTransport } from '@holdfast/contracts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { backUp, rejection } from './content.ts';
import type { Death } from './mortal/deaths.ts';
import { OBJECTS } from './mortal/sound.ts';
import { fate, passed, threadsRunning, threadsStarted } from './mortal/threads.ts';
import { POLICY } from './test-vault.ts';
import { newVault } from './vaults.ts';

vi.mock('node:worker_threads', async (original) => {
  const { mortal } = await import('./mortal/threads.ts');
  return mortal(await original());
});

afterEach(() => expect(threadsRunning()).toBe(0));

/** Longer than any test. */
const NEVER = 3_600_000;

describe('a backup that is cancelled', { timeout: 60_000 }, () => {
  it('ends while threads are busy, and starts no more of what was queued', async () => {
    const vault = await newVault({ peers: 7, workers: 2, policy: { ...POLICY, compressionLevel: 19 } });
    const controller = new AbortController();
    fate();
    const running = rejection(backUp(vault.engine, OBJECTS, { signal: controller.signal }));
    while (passed('compress') < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    controller.abort();
    const begun = passed('compress');
    expect(await running).toMatchObject({ code: 'CANCELLED' });
    expect(threadsRunning()).toBe(0);
    // The frame at hand is finished in each lane, in at most two parts and an attempt that did not fit.
    expect(passed('compress')).toBeLessThanOrEqual(begun + 3 * 2);
  });

  it('ends though all arenas wait for peers that do not answer', async () => {
    const vault = await newVault({ peers: 7, workers: 2 });
    const controller = new AbortController();
    const put: ShardTransport['put'] = (peer, shard, options) => {
      vault.transport.faults(peer).delay = NEVER;
      return vault.transport.put(peer, shard, options);
    };
    const engine = await vault.reopen({ transport: { ...vault.transport, put } });
    fate();
    const running = rejection(backUp(engine, OBJECTS, { signal: controller.signal }));
    while (vault.transport.counters.inFlight === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    expect(await running).toMatchObject({ code: 'CANCELLED' });
    expect(threadsRunning()).toBe(0);
  });

  it.each<Death>([
    { at: 'compress', nth: 3 },
    { at: 'seal a shard', nth: 2 },
    { at: 'after sealed', nth: 1 },
  ])('ends while a thread is being replaced: $at', async (death) => {
    const vault = await newVault({ peers: 7 });
    const controller = new AbortController();
    fate(death);
    const error = await rejection(
      backUp(vault.engine, OBJECTS, {
        signal: controller.signal,
        onEvent: ({ type }) => type === 'worker-restarted' && controller.abort(),
      }),
    );
    expect(error.code).toBe('CANCELLED');
    expect(threadsStarted()).toBe(2);
    expect(threadsRunning()).toBe(0);
  });

  it('starts no thread in place of one that dies while it ends', async () => {
    const vault = await newVault({ peers: 7 });
    const controller = new AbortController();
    fate({ at: 'got frame', nth: 4 });
    const running = rejection(backUp(vault.engine, OBJECTS, { signal: controller.signal }));
    // Blocks this thread: the death is not noticed before the abort.
    setImmediate(function wait() {
      if (passed('got frame') < 4) return setImmediate(wait);
      controller.abort();
    });
    expect(await running).toMatchObject({ code: expect.stringMatching(/CANCELLED/) });
    expect(threadsRunning()).toBe(0);
  });
});
