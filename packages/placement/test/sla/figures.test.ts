import fc from 'fast-check';
import { expect, it } from 'vitest';
import { availabilityFigures, formatAvailability, formatDowntime } from '../../src/sla/figures.ts';

it('counts nines and downtime', () => {
  const figures = availabilityFigures(1e-4);
  expect(figures.availability).toBe(0.9999);
  expect(figures.nines).toBeCloseTo(4, 12);
  expect(figures.downtimeSecondsPerYear).toBeCloseTo(3155.76, 6);
  expect(availabilityFigures(0)).toMatchObject({
    nines: Number.POSITIVE_INFINITY,
    downtimeSecondsPerYear: 0,
  });
  expect(Object.is(availabilityFigures(1).nines, 0)).toBe(true);
});

it.each([
  [0, '100 %'],
  [1, '0 %'],
  [0.5, '50 %'],
  [0.01, '99 %'],
  [1e-4, '99.99 %'],
  [3.8e-5, '99.9962 %'],
  [3.81e-5, '99.9961 %'],
  [1.5e-15, '99.99999999999985 %'],
  [0.14, '86 %'],
  [2.5e-6, '99.99975 %'],
  [0.0001000001, '99.989 %'],
])('writes an unavailability of %d as %s', (unavailability, text) => {
  expect(formatAvailability(unavailability)).toBe(text);
});

it('never writes more than there is, nor much less', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-14, max: 1, noNaN: true }), (unavailability) => {
      const claimed = 1 - Number(formatAvailability(unavailability).replace(' %', '')) / 100;
      expect(claimed).toBeGreaterThanOrEqual(unavailability - 1e-15);
      expect(claimed).toBeLessThanOrEqual(
        unavailability * 1.11 + 1e-4 * (unavailability > 0.1 ? 1 : 0) + 1e-15,
      );
    }),
    { seed: 8 },
  );
});

it.each([
  [0, 'none'],
  [0.0001, 'under a millisecond'],
  [0.001, '1 millisecond'],
  [0.43, '430 milliseconds'],
  [12, '12 seconds'],
  [3156, '53 minutes'],
  [31_558, '8.8 hours'],
  [315_576, '3.7 days'],
])('writes %d seconds as %s', (seconds, text) => {
  expect(formatDowntime(seconds)).toBe(text);
});
