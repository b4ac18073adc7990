import { expect, test } from 'vitest';
import { boundOf, mediansOf, shares } from '../bound.ts';
import { noise } from '../building.ts';
import { openingResults } from '../opening.ts';
import { sealingPrimitives } from '../primitives.ts';
import { SealingPass, STEPS } from '../sealing-pass.ts';
import { StripeMaker } from '../stripe-maker.ts';
import { workerResults } from '../workers.ts';

const MiB = 2 ** 20;
const shape = { k: 2, m: 1 };
const once = { rounds: 1, milliseconds: 1 };
const never = async (): Promise<number> => 0;

test('the bound of a round is the sum of that round', () => {
  const [hash, cipher] = [
    { name: 'hash', run: never },
    { name: 'cipher', run: never },
  ];
  const times = new Map([
    ['pass', [100, 100]],
    ['hash', [1, 2]],
    ['cipher', [10, 30]],
  ]);
  expect(boundOf(times, [hash, cipher])).toEqual([11, 32]);
  expect(mediansOf(times, [cipher])).toEqual(new Map([['cipher', 20]]));
});

test('shares are per cent of their sum', () => {
  const parts = new Map([
    ['hash', 1],
    ['cipher', 3],
  ]);
  expect(shares('of it: ', shape, parts)).toEqual([
    { name: 'of it: hash', params: shape, value: 25, unit: '%', ratios: {} },
    { name: 'of it: cipher', params: shape, value: 75, unit: '%', ratios: {} },
  ]);
});

test('the pass seals what opens again, and accounts for its steps', () => {
  const pass = new SealingPass(shape);
  const time = pass.run(2);
  const steps = STEPS.map((step) => pass.spent[step]);
  expect(Math.min(...steps)).toBeGreaterThan(0);
  expect(time).toBeGreaterThan(0);
});

test('every primitive runs', async () => {
  for (const primitive of sealingPrimitives(shape)) expect(await primitive.run(1)).toBeGreaterThan(0);
});

test('stripes are made one after the other, each from the next content', async () => {
  const maker = new StripeMaker(shape, 0, noise(6 * MiB));
  const first = await maker.make();
  maker.release(first);
  const second = await maker.make();
  maker.release(second);
  expect(first.checksum).not.toBe(second.checksum);
  expect(first.rawSize).toBeGreaterThan(1.9 * MiB);
});

test('stripes open, also when primaries are lost, and two workers work', async () => {
  const opened = await openingResults(shape, once);
  expect(opened.map(({ name }) => name)).toEqual(['open', 'rebuild and open']);
  const [both] = await workerResults(shape, once);
  expect(both!.value).toBeGreaterThan(0);
  expect(Object.keys(both!.ratios)).toEqual(['one worker']);
});
