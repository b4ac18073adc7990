import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  gatherParts,
  isStridedRange,
  MIN_PART_BYTES,
  partsOf,
  type StridedRange,
  scatterParts,
} from '../src/index.ts';

const BYTES = 4096;

const ranges: fc.Arbitrary<StridedRange> = fc
  .record({
    length: fc.integer({ min: MIN_PART_BYTES, max: 700 }),
    gap: fc.nat({ max: 900 }),
    offset: fc.nat({ max: BYTES - 700 }),
  })
  .map(({ length, gap, offset }) => ({ offset, length, period: length + gap }));

const noise = (): Uint8Array => Uint8Array.from({ length: BYTES }, (_, at) => (at * 167 + (at >> 5)) & 255);

/** Byte by byte: whether it lies in a part that lies within the shard as a whole. */
const inPart = ({ offset, length, period }: StridedRange, at: number): boolean =>
  at >= offset && (at - offset) % period < length && at - ((at - offset) % period) + length <= BYTES;

describe('a strided range', () => {
  it('gathers the bytes of its parts, in order, and scatters them back', () => {
    fc.assert(
      fc.property(ranges, (range) => {
        expect(isStridedRange(range, BYTES)).toBe(true);
        const shard = noise();
        const expected = [...shard].filter((_, at) => inPart(range, at));
        const gathered = noise();
        const bytes = gatherParts(gathered, range);
        expect(bytes).toBe(partsOf(range, BYTES) * range.length);
        expect([...gathered.subarray(0, bytes)]).toEqual(expected);
        const back = new Uint8Array(new SharedArrayBuffer(BYTES));
        scatterParts(gathered.subarray(0, bytes), range, back);
        expect([...back]).toEqual([...shard].map((byte, at) => (inPart(range, at) ? byte : 0)));
      }),
    );
  });

  it.each<[string, Partial<StridedRange>]>([
    ['parts too short to be worth a copy', { length: MIN_PART_BYTES - 1 }],
    ['parts longer than their period', { length: 257 }],
    ['nothing within the shard', { offset: BYTES - 63 }],
    ['a negative offset', { offset: -1 }],
    ['a fraction', { period: 256.5 }],
    ['no number', { length: Number.NaN }],
    ['more than numbers hold', { offset: 2 ** 53 }],
  ])('is none with %s', (_, change) => {
    expect(isStridedRange({ offset: 0, length: 64, period: 256, ...change }, BYTES)).toBe(false);
  });
});
