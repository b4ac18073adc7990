import { seededRandom } from '@holdfast/testing/seeded-random';
import { describe, expect, it } from 'vitest';
import { Detection } from './corruption/detection.ts';
import type { Shape } from './corruption/sealed-stripe.ts';

/** Corruptions for each shape, of hash and seal each. */
const COUNT = 10_000;
/** The whole way of a restore takes milliseconds: `npm run soak:fuzz -- --target corruption` goes it ten thousand times. */
const RESTORES = 150;

const random = seededRandom('corruptions');
const between = (least: number, most: number) => least + Math.floor(random.uniform() * (most - least + 1));
const SHAPES: readonly Shape[] = [
  { k: 4, m: 2, helpers: 0 },
  { k: 10, m: 4, helpers: 0 },
  { k: 16, m: 8, helpers: 0 },
  { k: 29, m: 51, helpers: 0 },
  { k: between(2, 40), m: between(1, 20), helpers: 0 },
  { k: 10, m: 4, helpers: 13 },
];

describe.each(SHAPES)(
  'random corruptions of a stripe of $k + $m, $helpers helpers',
  { timeout: 120_000 },
  (shape) => {
    const detection = new Detection(shape);

    it(`are noticed by the hash: ${COUNT}`, async () => {
      let noticed = 0;
      while (noticed < COUNT) noticed += await detection.byHash(random);
      expect(noticed).toBeGreaterThanOrEqual(COUNT);
    });

    it(`are noticed by the seal: ${COUNT}`, () => {
      let noticed = 0;
      while (noticed < COUNT) noticed += detection.bySeal(random);
      expect(noticed).toBeGreaterThanOrEqual(COUNT);
    });

    it('are noticed by a restore that looks at no hashes, or do no harm', async () => {
      const counts = { SEAL_BROKEN: 0, HASH_MISMATCH: 0, unused: 0 };
      for (let run = 0; run < RESTORES; run++) {
        counts[(await detection.byRestore(random))!]++;
        counts[(await detection.byRestore(random, Math.min(4, shape.m))) ?? 'unused']++;
      }
      expect(counts.SEAL_BROKEN).toBeGreaterThan(RESTORES);
      // Older versions have good seals, and spare parity shards are not read: both have to occur.
      expect(Math.min(counts.HASH_MISMATCH, counts.unused)).toBeGreaterThan(0);
    });
  },
);
