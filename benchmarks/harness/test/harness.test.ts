import { expect, test } from 'vitest';
import { measure } from '../measured-process.ts';
import { processFacts } from '../process-facts.ts';
import { median, reportLines } from '../report.ts';
import { threadTime } from '../thread-time.ts';

const MiB = 2 ** 20;

test('accounts for one process: time, CPU and peak memory', async () => {
  const script =
    'const b = Buffer.alloc(2e8, 1); const t = Date.now(); while (Date.now() - t < 300); console.log(b.length)';
  const cost = await measure(process.execPath, ['-e', script]);
  expect(cost.stdout).toBe('200000000\n');
  expect(cost.seconds).toBeGreaterThan(0.3);
  expect(cost.cpuSeconds).toBeGreaterThan(0.05);
  expect(cost.cpuSeconds).toBeLessThan(cost.seconds * 4);
  expect(cost.peakRssBytes).toBeGreaterThan(190 * MiB);
  expect(cost.peakRssBytes).toBeLessThan(500 * MiB);
});

test('a program that fails is an error that shows what it said', async () => {
  const failing = measure(process.execPath, ['-e', 'console.error("no such thing"); process.exit(3)']);
  await expect(failing).rejects.toThrow(/no such thing/);
});

test('facts of a running process, and none of one that is gone', () => {
  expect(processFacts(process.pid)!.peakRssBytes).toBeGreaterThan(10 * MiB);
  expect(processFacts(2 ** 22 + 1)).toBeNull();
});

test('the median is the middle one, or between the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test('the table names parameters once', () => {
  const result = {
    name: 'backup',
    params: { source: 'tree' },
    value: 12.5,
    unit: 'MiB/s',
    ratios: { restic: 1.2 },
  };
  const lines = reportLines({
    bench: 'path',
    machine: { cores: 2 },
    results: [result, { ...result, name: 'restore' }],
  });
  expect(lines.filter((line) => line.includes('source: tree'))).toHaveLength(1);
  expect(lines.at(-1)).toBe('  restore  12.5 MiB/s  1.2× restic');
});

test('a thread’s own time, where it is long enough to be counted', () => {
  const start = performance.now();
  const busy = threadTime(() => {
    const { user } = process.threadCpuUsage();
    while (process.threadCpuUsage().user - user < 60_000);
    wait(200);
  });
  expect(busy).toBeGreaterThanOrEqual(60e6);
  expect(busy / 1e6).toBeLessThan(performance.now() - start - 150);
  expect(threadTime(() => wait(30))).toBeGreaterThanOrEqual(30e6);
});

const wait = (milliseconds: number): unknown =>
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
