import { expect, test } from 'vitest';
import { alternate, type Contender, medianRatio, mibPerSecond } from '../alternation.ts';

const MILLISECOND = 1e6;

/** Takes as long as it is told, without taking any time. */
const contender = (name: string, nanoseconds: number, seen: [string, number][]): Contender => ({
  name,
  run: async (times) => {
    seen.push([name, times]);
    return nanoseconds * times;
  },
});

test('batches are long enough, and whoever begins a round changes', async () => {
  const seen: [string, number][] = [];
  const slow = contender('slow', 30 * MILLISECOND, seen);
  const fast = contender('fast', 0.1 * MILLISECOND, seen);
  const times = await alternate([slow, fast], { rounds: 3, milliseconds: 10 });
  expect(times.get('slow')).toEqual(Array(3).fill(30 * MILLISECOND));
  expect(times.get('fast')!.map(Math.round)).toEqual(Array(3).fill(0.1 * MILLISECOND));
  expect(seen.slice(-6)).toEqual([
    ['slow', 1],
    ['fast', 100],
    ['fast', 100],
    ['slow', 1],
    ['slow', 1],
    ['fast', 100],
  ]);
});

test('everyone has run for two turns before the first round', async () => {
  const seen: [string, number][] = [];
  await alternate([contender('one', MILLISECOND, seen)], { rounds: 0, milliseconds: 10 });
  const spent = seen.reduce((sum, [, times]) => sum + times, 0);
  expect(spent).toBeGreaterThanOrEqual(20);
});

test('a clock that does not move ends nothing early and hangs nothing', async () => {
  let calls = 0;
  const stopped: Contender = { name: 'stopped', run: async () => (++calls < 5 ? 0 : 10 * MILLISECOND) };
  await alternate([stopped], { rounds: 1, milliseconds: 10 });
  expect(calls).toBe(7);
});

test('a ratio is the median of the pairs, above 1 when ours takes less', () => {
  // The second round was slow for both.
  expect(medianRatio([1, 10, 1], [2, 20, 3])).toBe(2);
  expect(medianRatio([2], [1])).toBe(0.5);
});

test('MiB/s', () => {
  expect(mibPerSecond(4 * 2 ** 20, 2e9)).toBe(2);
});
