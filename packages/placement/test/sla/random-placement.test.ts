import fc from 'fast-check';
import { expect, it } from 'vitest';
import { probabilityOfMoreThan } from '../../src/sla/poisson-binomial.ts';
import { averageUnavailability, lostBeyondParity } from '../../src/sla/random-placement.ts';
import { isLost, permutations, probability, subsets } from './brute-force.ts';
import { relativeError } from './swarms.ts';

const failure = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(1e-3, 1e-6, 0.05));

it('is the average over all sets of peers', () => {
  fc.assert(
    fc.property(
      fc.array(failure, { minLength: 4, maxLength: 9 }),
      fc.integer({ min: 2, max: 4 }),
      fc.integer({ min: 0, max: 4 }),
      (failures, k, m) => {
        fc.pre(k + m <= failures.length);
        const shape = { k, m, copies: 1 };
        const each = [...subsets(failures, k + m)].map((set) =>
          probability(set, (down) => isLost(shape, down)),
        );
        const expected = each.reduce((sum, value) => sum + value, 0) / each.length;
        expect(relativeError(averageUnavailability(shape, failures), expected)).toBeLessThan(1e-11);
      },
    ),
    { numRuns: 60, seed: 3 },
  );
});

it('with copies, is the average over all sets and all ways to put them together', () => {
  const failures = [0.5, 0.1, 0.2, 0.05, 0.3, 0.01, 0.7];
  for (const shape of [
    { k: 2, m: 1, copies: 2 },
    { k: 2, m: 0, copies: 3 },
    { k: 3, m: 0, copies: 2 },
  ]) {
    let [sum, count] = [0, 0];
    for (const set of subsets(failures, 6)) {
      for (const order of permutations(set)) {
        if (!isCanonical(order, shape.copies)) continue;
        sum += probability(order, (down) => isLost(shape, down));
        count += 1;
      }
    }
    expect(relativeError(averageUnavailability(shape, failures), sum / count)).toBeLessThan(1e-12);
  }
});

/** One order for each way of grouping: groups ascending within, and by their first. All failures differ. */
function isCanonical(order: readonly number[], copies: number): boolean {
  return order.every((value, i) => {
    if (i === 0) return true;
    return i % copies === 0 ? value > order[i - copies]! : value > order[i - 1]!;
  });
}

it('is that of the peers themselves when all are needed', () => {
  const failures = [1e-5, 2e-5, 3e-5, 4e-5, 1e-4, 2e-4];
  const found = averageUnavailability({ k: 2, m: 4, copies: 1 }, failures);
  expect(relativeError(found, probabilityOfMoreThan(4, failures))).toBeLessThan(1e-12);
});

it('counts shards of which all copies are down', () => {
  expect([...lostBeyondParity({ k: 2, m: 1, copies: 1 })]).toEqual([0, 0, 1, 1]);
  const [none, one, two, three, four] = lostBeyondParity({ k: 2, m: 0, copies: 2 });
  expect([none, one, three, four]).toEqual([0, 0, 1, 1]);
  // Two of four peers are down: one of three partners is the other copy.
  expect(two).toBeCloseTo(1 / 3, 14);
});

it('stays finite where binomial coefficients do not', () => {
  const failures = new Array<number>(3000).fill(0.02);
  const found = averageUnavailability({ k: 20, m: 10, copies: 3 }, failures);
  // Equal peers: whichever are drawn, 30 shards with all three copies down at 8e-6 each.
  const expected = probabilityOfMoreThan(10, new Array<number>(30).fill(0.02 ** 3));
  expect(relativeError(found, expected)).toBeLessThan(1e-9);
});

it('is never more than 1', () => {
  for (let peers = 5; peers < 60; peers++) {
    const failures = Array.from({ length: peers }, (_, i) => 1 - 1e-17 * i);
    expect(averageUnavailability({ k: 3, m: 1, copies: 1 }, failures)).toBeLessThanOrEqual(1);
  }
});
