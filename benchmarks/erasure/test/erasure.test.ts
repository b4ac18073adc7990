import { expect, test } from 'vitest';
import { dataBytes, mostLost, OPERATIONS } from '../coder.ts';
import { HoldfastCoder } from '../holdfast.ts';
import { PeerProcess } from '../peer-process.ts';
import { resultsOf } from '../results.ts';

const shape = { k: 4, m: 2, bytes: 65_536 };

test('as many primaries are lost as parity allows, or all', () => {
  expect(mostLost(shape)).toEqual([0, 1]);
  expect(mostLost({ k: 2, m: 5 })).toEqual([0, 1]);
});

test('an update counts the primary that changed, everything else the data', () => {
  expect(dataBytes('encode', shape)).toBe(4 * 65_536);
  expect(dataBytes('rebuild-one', shape)).toBe(4 * 65_536);
  expect(dataBytes('update-parity', shape)).toBe(65_536);
});

test('a result for each of our kernels, with ratios to the others', () => {
  const times = new Map([
    ['holdfast relaxed', [1e6, 1e6, 1e6]],
    ['holdfast scalar', [8e6, 8e6, 8e6]],
    ['isal-sse', [2e6, 1e6, 3e6]],
  ]);
  const ours = [
    { name: 'holdfast relaxed', variant: 'relaxed' },
    { name: 'holdfast scalar', variant: 'scalar' },
  ] as const;
  expect(resultsOf('encode', shape, times, ours)).toEqual([
    {
      name: 'encode',
      params: { k: 4, m: 2, shardKiB: 64, variant: 'relaxed' },
      value: 250,
      unit: 'MiB/s',
      ratios: { 'isal-sse': 2 },
    },
    {
      name: 'encode',
      params: { k: 4, m: 2, shardKiB: 64, variant: 'scalar' },
      value: 31.3,
      unit: 'MiB/s',
      ratios: { 'isal-sse': 0.25 },
    },
  ]);
});

test('our coder does all that it is asked for', async () => {
  const coder = new HoldfastCoder('scalar');
  expect(await coder.prepare({ k: 3, m: 2, bytes: 128 })).toBe(true);
  for (const operation of OPERATIONS) expect(await coder.run(operation, 2)).toBeGreaterThan(0);
  await coder.close();
});

const peer = (script: string): Promise<PeerProcess> =>
  PeerProcess.start('peer', process.execPath, ['-e', `console.log('1.2.3');${script}`]);
const answering = (answer: string): string =>
  `require('node:readline').createInterface(process.stdin).on('line', () => console.log('${answer}'))`;

test('a peer is asked line by line', async () => {
  const [ready, refusing, timing] = await Promise.all(
    ['ready', 'refused', '1500'].map((a) => peer(answering(a))),
  );
  expect(ready!.version).toBe('1.2.3');
  expect(await ready!.prepare(shape)).toBe(true);
  expect(await refusing!.prepare(shape)).toBe(false);
  expect(await timing!.run('encode', 3)).toBe(1500);
  for (const one of [ready, refusing, timing]) await one!.close();
});

test('a peer that makes wrong bytes, or dies, fails the benchmark', async () => {
  const wrong = await peer(answering('wrong bytes'));
  await expect(wrong.prepare(shape)).rejects.toThrow('peer: wrong bytes');
  await wrong.close();
  const dead = await peer('process.exit(1)');
  await expect(dead.prepare(shape)).rejects.toThrow(/ended/);
  await dead.close();
});
