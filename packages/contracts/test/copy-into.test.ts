import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyInto } from '../src/index.ts';

const shared = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes));

it('copies what set copies, from and to anywhere, and nothing beside it', () => {
  const length = fc.nat({ max: 300 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), length, length, (bytes, skipped, at) => {
      const [source, target] = [shared(skipped + bytes.length), shared(at + bytes.length + 9).fill(170)];
      source.set(bytes, skipped);
      const expected = target.slice();
      expected.set(bytes, at);
      copyInto(target, at, source.subarray(skipped));
      expect(Buffer.compare(target, expected)).toBe(0);
    }),
  );
});

it('refuses what does not fit, and writes nothing', () => {
  const target = shared(8);
  expect(() => copyInto(target, 4, new Uint8Array(5).fill(1))).toThrow(RangeError);
  expect(() => copyInto(target, 9, new Uint8Array(0))).toThrow(RangeError);
  expect(() => copyInto(target, -1, new Uint8Array(1).fill(1))).toThrow(RangeError);
  expect(target.every((byte) => byte === 0)).toBe(true);
});
