import { seededRandom } from '@holdfast/testing/seeded-random';
import { expect, test } from 'vitest';
import { Dice } from '../src/privacy/dice.ts';
import { discreteLaplace } from '../src/privacy/discrete-laplace.ts';
import { type NoiseTerms, noisySteps } from '../src/privacy/noisy-weight.ts';
import { noiseScale } from '../src/privacy/privacy-settings.ts';
import { chiSquared, worstExcess } from './histogram.ts';
import { codeOf, peerId } from './swarm.ts';

const DRAWS = 200_000;

/** AES in counter mode, many bytes at a time: a call for each draw would take longer than the draw. */
const diceOf = (seed: string): Dice => {
  const random = seededRandom(seed);
  return new Dice(() => random.bytes(1 << 15));
};
/** One draw may take only so many bytes, so that each needs dice of its own; these share their bytes. */
const manyDice = (seed: string): (() => Dice) => {
  const random = seededRandom(seed);
  let stock = new Uint8Array(0);
  return () =>
    new Dice(() => {
      if (stock.length < 16) stock = new Uint8Array(random.bytes(1 << 16));
      const bytes = stock.subarray(0, 16);
      stock = stock.subarray(16);
      return bytes;
    });
};

test('integers below a limit are uniform, also above 2³²', () => {
  for (const limit of [1, 2, 3, 10, 255, 256, 257]) {
    const dice = diceOf(`below ${limit}`);
    const counts = Array(limit).fill(0);
    for (let i = 0; i < 20 * limit; i++) counts[dice.below(limit)] += 1;
    // As many degrees of freedom as the limit, less one; mean and five standard deviations.
    expect(chiSquared(counts, Array(limit).fill(1 / limit))).toBeLessThanOrEqual(
      limit + 5 * Math.sqrt(2 * limit),
    );
  }
  const dice = diceOf('large');
  const limit = 2 ** 53 - 1;
  const numbers = Array.from({ length: 2_000 }, () => dice.below(limit));
  expect(numbers.every((number) => Number.isSafeInteger(number) && number >= 0 && number < limit)).toBe(true);
  expect(numbers.filter((number) => number < limit / 2).length).toBeGreaterThan(900);
  expect(numbers.filter((number) => number < limit / 2).length).toBeLessThan(1_100);
  expect(numbers.filter((number) => number % 2 === 0).length).toBeGreaterThan(900);
  expect(numbers.filter((number) => number % 2 === 0).length).toBeLessThan(1_100);
});

test.each([
  [0, 1],
  [1, 1],
  [1, 3],
  [2, 3],
  [1, 100],
])('true with probability exp(−%i/%i)', (numerator, denominator) => {
  const next = manyDice(`exp ${numerator}/${denominator}`);
  let hits = 0;
  for (let i = 0; i < 50_000; i++) if (next().chanceExp(numerator, denominator)) hits += 1;
  const p = Math.exp(-numerator / denominator);
  // Five standard deviations; without a spread there is no deviation.
  expect(Math.abs(hits / 50_000 - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / 50_000));
});

/** The formula in the function's description. */
const laplacePmf = (z: number, numerator: number, denominator: number): number => {
  const a = Math.exp(-denominator / numerator);
  return ((1 - a) / (1 + a)) * a ** Math.abs(z);
};

test.each([
  [1, 1],
  [5, 2],
  [2, 5],
  [40, 3],
])('discrete Laplace of scale %i/%i has its probabilities (chi-squared)', (numerator, denominator) => {
  const next = manyDice(`laplace ${numerator}/${denominator}`);
  const reach = Math.ceil((4 * numerator) / denominator);
  const counts = Array(2 * reach + 1).fill(0);
  for (let i = 0; i < 50_000; i++) {
    const z = discreteLaplace(numerator, denominator, next());
    if (Math.abs(z) <= reach) counts[z + reach] += 1;
  }
  expect(counts.length).toBe(2 * reach + 1);
  const expected = counts.map((_, i) => laplacePmf(i - reach, numerator, denominator));
  counts.push(50_000 - counts.reduce((sum, count) => sum + count, 0));
  expected.push(1 - expected.reduce((sum, p) => sum + p, 0));
  const freedom = counts.length - 1;
  expect(chiSquared(counts, expected)).toBeLessThan(freedom + 4 * Math.sqrt(2 * freedom));
});

/** Probability of each step 1 … gridSteps, from the formula: what lies outside falls on the ends. */
function outputPmf(steps: number, { epsilon, gridSteps }: NoiseTerms): number[] {
  const a = Math.exp(-epsilon / gridSteps);
  const atLeast = (z: number): number => (z > 0 ? a ** z / (1 + a) : 1 - a ** (1 - z) / (1 + a));
  return Array.from({ length: gridSteps }, (_, i) => {
    const z = i + 1 - steps;
    return (i === 0 ? 1 : atLeast(z)) - (i === gridSteps - 1 ? 0 : atLeast(z + 1));
  });
}

test.each([
  [0.1, 2],
  [1, 8],
  [2.5, 50],
  [10, 1000],
])(
  'the probabilities of noisy weights differ by a factor of at most exp(ε = %f), and reach it',
  (epsilon, gridSteps) => {
    const terms = { epsilon, gridSteps, fullWeight: 1 };
    let most = 0;
    const all = Array.from({ length: gridSteps + 1 }, (_, steps) => outputPmf(steps, terms));
    for (const pmf of all) expect(pmf.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
    for (const one of [all[0]!, all[gridSteps >> 1]!, all[gridSteps]!]) {
      for (const other of all) {
        // Where probabilities are as small as rounding errors of 1, their ratio is one of errors.
        for (const [i, p] of one.entries()) {
          if (p > 1e-7) most = Math.max(most, Math.abs(Math.log(p / other[i]!)));
        }
      }
    }
    expect(most).toBeLessThan(epsilon * (1 + 1e-7) + 1e-7);
    expect(most).toBeGreaterThan(epsilon * (1 - 1e-7));
  },
);

/** Of the real thing: noise by a key for many peers, or by chance. */
function histogram(weight: number, terms: NoiseTerms, keyed: boolean): number[] {
  const counts = Array(terms.gridSteps).fill(0);
  const random = seededRandom(`weight ${weight}`);
  const noise = keyed ? { key: new Uint8Array(32).fill(7) } : { random };
  for (let i = 0; i < DRAWS; i++) {
    const occasion = { epoch: 3, release: 1 };
    counts[noisySteps({ peer: peerId(i), weight, terms, occasion, noise }) - 1] += 1;
  }
  return counts;
}

const TERMS: NoiseTerms = { epsilon: 1.25, fullWeight: 400, gridSteps: 8 };

const keepsToFormula = (counts: readonly number[], steps: number): void => {
  // 7 degrees of freedom: 29.9 is exceeded once in ten thousand; the draws are fixed.
  expect(chiSquared(counts, outputPmf(steps, TERMS))).toBeLessThan(29.9);
};

test('histograms of adjacent weights keep to ε and to the formula', () => {
  const [none, half, full] = [0, 180, 400].map((weight) => histogram(weight, TERMS, false));
  expect(worstExcess(none!, full!, TERMS.epsilon)).toBeLessThan(0);
  expect(worstExcess(none!, half!, TERMS.epsilon)).toBeLessThan(0);
  expect(worstExcess(half!, full!, TERMS.epsilon)).toBeLessThan(0);
  keepsToFormula(none!, 0);
  // 180 / 400 of 8 steps is 3.6, which the grid has as 4.
  keepsToFormula(half!, 4);
  keepsToFormula(full!, 8);
});

test('so do those of noise by a key', () => {
  const [none, full] = [0, 400].map((weight) => histogram(weight, TERMS, true));
  expect(worstExcess(none!, full!, TERMS.epsilon)).toBeLessThan(0);
  keepsToFormula(none!, 0);
  keepsToFormula(full!, 8);
});

test('the same comparison notices noise of the wrong scale', () => {
  // As with a sensitivity of half the grid; and one that is only a tenth too small.
  for (const epsilon of [2.5, 1.375]) {
    const [none, full] = [0, 400].map((weight) => histogram(weight, { ...TERMS, epsilon }, false));
    expect(worstExcess(none!, full!, 1.25)).toBeGreaterThan(0);
  }
});

test('keyed noise depends on key, epoch, release, peer, weight and terms, and on nothing else', () => {
  const terms = { epsilon: 1, fullWeight: 100, gridSteps: 1_000_000 };
  const key = new Uint8Array(32).fill(1);
  const base = { peer: peerId(1), weight: 50, terms, occasion: { epoch: 1, release: 1 }, noise: { key } };
  const noise = (change: Partial<typeof base>): number => {
    const request = { ...base, ...change };
    const { weight } = request;
    const { gridSteps, fullWeight } = request.terms;
    return noisySteps(request) - Math.round((weight / fullWeight) * gridSteps);
  };
  // Small scales would clamp; at ε = 100 noise is some thousands of a million steps.
  const mild = { ...terms, epsilon: 100 };
  const of = (change: Partial<typeof base>): number => noise({ terms: mild, ...change });
  const values = [
    of({}),
    of({ noise: { key: new Uint8Array(32).fill(2) } }),
    of({ occasion: { epoch: 2, release: 1 } }),
    of({ occasion: { epoch: 1, release: 2 } }),
    of({ peer: peerId(2) }),
    of({ weight: 51 }),
    of({ terms: { ...mild, epsilon: 99 } }),
  ];
  expect(new Set(values).size).toBe(values.length);
  expect(of({})).toBe(values[0]);
  // A frozen value: noise that came out differently in another version could not be audited.
  expect(noisySteps({ ...base, terms: mild })).toBe(496_592);
});

test('the scale is a fraction in lowest terms', () => {
  expect(noiseScale({ epsilon: 1, gridSteps: 1000 })).toEqual({ numerator: 1000, denominator: 1 });
  expect(noiseScale({ epsilon: 0.3, gridSteps: 1000 })).toEqual({ numerator: 10_000, denominator: 3 });
  expect(noiseScale({ epsilon: 2.5, gridSteps: 2 })).toEqual({ numerator: 4, denominator: 5 });
  expect(noiseScale({ epsilon: 0.000001, gridSteps: 1_000_000 })).toEqual({
    numerator: 1e12,
    denominator: 1,
  });
});

test('a broken generator ends in an error, not in an endless loop', () => {
  const terms = { epsilon: 1, fullWeight: 1, gridSteps: 1000 };
  const occasion = { epoch: 1, release: 1 };
  for (const byte of [0, 0xff]) {
    const random = { ...seededRandom(1), bytes: (length: number) => new Uint8Array(length).fill(byte) };
    const draw = () => noisySteps({ peer: peerId(1), weight: 1, terms, occasion, noise: { random } });
    expect(codeOf(draw)).toBe('USAGE');
  }
  expect(codeOf(() => new Dice(() => new Uint8Array(0)).below(255))).toBe('USAGE');
});
