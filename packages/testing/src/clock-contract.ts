import type { Clock } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';

export interface ClockSubject {
  readonly clock: Clock;
  /** Lets this much of the clock's time pass; for the system's clock, by waiting. */
  readonly pass: (milliseconds: number) => Promise<void>;
  /** Timers that would still wake somebody, where that can be known. */
  readonly timers?: () => number;
}

/** What every Clock must do. */
export function clockContract(name: string, open: () => ClockSubject): void {
  describe(`Clock: ${name}`, () => {
    it('tells a wall time and a time that never goes back', async () => {
      const { clock, pass } = open();
      expect(clock.now()).toBeGreaterThanOrEqual(0);
      let last = clock.monotonic();
      for (let i = 0; i < 20; i++) {
        await pass(1);
        const now = clock.monotonic();
        expect(now).toBeGreaterThanOrEqual(last);
        last = now;
      }
    });

    it('sleeps no shorter than asked, and the shorter sleeper wakes first', async () => {
      const { clock, pass } = open();
      const started = clock.monotonic();
      const woken: number[] = [];
      const sleeps = [40, 5, 20].map(async (milliseconds) => {
        await clock.sleep(milliseconds);
        expect(clock.monotonic() - started).toBeGreaterThanOrEqual(milliseconds);
        woken.push(milliseconds);
      });
      await pass(60);
      await Promise.all(sleeps);
      expect(woken).toEqual([5, 20, 40]);
    });

    it('yields once for a sleep of nothing', async () => {
      const { clock, pass } = open();
      let slept = false;
      const sleep = clock.sleep(0).then(() => {
        slept = true;
      });
      expect(slept).toBe(false);
      await pass(1);
      await sleep;
    });

    it('wakes at once when stopped, and leaves no timer', async () => {
      const { clock, timers } = open();
      const before = timers?.();
      const stopping = new AbortController();
      const sleep = clock.sleep(3_600_000, { signal: stopping.signal });
      stopping.abort();
      await expect(sleep).rejects.toMatchObject({ name: 'HoldfastError', code: 'CANCELLED' });
      const never = clock.sleep(3_600_000, { signal: AbortSignal.abort() });
      await expect(never).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(timers?.()).toBe(before);
    });

    it('leaves no listener on the signal of a sleep that ended', async () => {
      const { clock, pass } = open();
      const stopping = new AbortController();
      const sleep = clock.sleep(2, { signal: stopping.signal });
      await pass(10);
      await sleep;
      stopping.abort();
    });
  });
}
