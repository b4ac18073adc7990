import fc from 'fast-check';
import { expect, it } from 'vitest';
import { binomial, probabilityOfMoreThan } from '../../src/sla/poisson-binomial.ts';
import { probability } from './brute-force.ts';
import { relativeError } from './swarms.ts';

const chance = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 1, 1e-3, 1e-6, 1e-9, 0.05),
);

it('is the sum over all outcomes', () => {
  fc.assert(
    fc.property(fc.array(chance, { maxLength: 12 }), fc.integer({ min: -1, max: 12 }), (failures, most) => {
      const expected = probability(failures, (down) => down.filter(Boolean).length > most);
      expect(relativeError(probabilityOfMoreThan(most, failures), expected)).toBeLessThan(1e-12);
    }),
    { numRuns: 150, seed: 1 },
  );
});

function choose(n: number, k: number): number {
  let product = 1;
  for (let i = 1; i <= k; i++) product = (product * (n - k + i)) / i;
  return product;
}

it.each([
  [14, 4, 0.05],
  [26, 6, 0.01],
  [40, 20, 0.5],
  [12, 6, 1e-3],
  [30, 9, 1e-4],
])('is binomial for equal peers: more than %i of … %i at %d', (n, most, p) => {
  let expected = 0;
  for (let d = n; d > most; d--) expected += choose(n, d) * p ** d * (1 - p) ** (n - d);
  expect(relativeError(probabilityOfMoreThan(most, new Array(n).fill(p)), expected)).toBeLessThan(1e-12);
});

it('keeps all digits of tails that 1 minus the rest would lose', () => {
  expect(relativeError(probabilityOfMoreThan(4, [1e-4, 1e-4, 1e-4, 1e-4, 1e-4]), 1e-20)).toBeLessThan(1e-13);
  const failures = Array.from({ length: 10 }, (_, i) => 1e-7 * (i + 1));
  const expected = failures.reduce((product, failure) => product * failure, 1);
  expect(relativeError(probabilityOfMoreThan(9, failures), expected)).toBeLessThan(1e-13);
});

it('grows with each failure, and falls with what may fail', () => {
  fc.assert(
    fc.property(
      fc.array(chance, { minLength: 1, maxLength: 30 }),
      chance,
      fc.nat(29),
      (failures, other, most) => {
        const worse = failures.with(0, Math.max(failures[0]!, other));
        const before = probabilityOfMoreThan(most, failures);
        expect(probabilityOfMoreThan(most, worse)).toBeGreaterThanOrEqual(before * (1 - 1e-12));
        expect(probabilityOfMoreThan(most + 1, failures)).toBeLessThanOrEqual(before * (1 + 1e-12));
      },
    ),
    { seed: 2 },
  );
});

it('lists the binomial distribution', () => {
  const found = binomial(8, 0.3);
  for (let d = 0; d <= 8; d++) {
    expect(relativeError(found[d]!, choose(8, d) * 0.3 ** d * 0.7 ** (8 - d))).toBeLessThan(1e-13);
  }
  expect([...binomial(3, 0)]).toEqual([1, 0, 0, 0]);
  expect([...binomial(3, 1)]).toEqual([0, 0, 0, 1]);
});
