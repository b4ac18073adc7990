import { seededRandom } from '@holdfast/testing/seeded-random';
import { Detection } from '../../../../packages/engine/test/corruption/detection.ts';
import type { Shape } from '../../../../packages/engine/test/corruption/sealed-stripe.ts';
import { Dice } from '../dice.ts';
import type { Target } from '../target.ts';

const dice = new Dice('shapes of the corruption targets');
const SHAPES: readonly Shape[] = [
  { k: 4, m: 2, helpers: 0 },
  { k: 10, m: 4, helpers: 0 },
  { k: 16, m: 8, helpers: 0 },
  { k: 29, m: 51, helpers: 0 },
  ...[1, 2, 3].map(() => ({ k: dice.between(2, 60), m: dice.between(1, 40), helpers: 0 })),
  { k: 10, m: 4, helpers: 13 },
];
const SEED_BYTES = 16;

/** The way of a restore, without and with the check of hashes. Every run is a corruption that must be noticed by both. */
export const corruptionTargets: readonly Target[] = SHAPES.map((shape) => {
  let detection: Detection | null = null;
  return {
    name: `corruption-${shape.k}+${shape.m}${shape.helpers > 0 ? '-clay' : ''}`,
    seeds: () => [dice.bytes(SEED_BYTES)],
    refusals: [],
    async attempt(input) {
      detection ??= new Detection(shape);
      const random = seededRandom(Buffer.from(input).toString('hex'));
      await detection.byRestore(random);
      await detection.byHash(random);
      if (random.uniform() < 0.1) await detection.byRestore(random, 1);
    },
    guided: false,
  };
});
