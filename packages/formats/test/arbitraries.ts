import fc from 'fast-check';
import type { CborValue } from '../src/index.ts';

/** Text with every kind of character but lone surrogates, which UTF-8 cannot carry. */
export const text = (maxLength = 40): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ maxLength }),
    fc.string({ unit: 'binary', maxLength: Math.floor(maxLength / 4) }),
    fc.constantFrom('\ufeff', '\ufffd', '__proto__', 'constructor'),
  );

export const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

export const anyBytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 200, size: 'max' });

export const safeUint: fc.Arbitrary<number> = fc.oneof(
  fc.nat({ max: 30 }),
  fc.maxSafeNat(),
  fc.constantFrom(0, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
);

/** Decoded as a bigint only beyond the safe integers. */
const wideInteger = fc
  .bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n })
  .filter((n) => n > BigInt(Number.MAX_SAFE_INTEGER) || n < BigInt(Number.MIN_SAFE_INTEGER));

export const cborValue: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    safeUint,
    wideInteger,
    text(),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(text(12), tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).value;

/** Valid bytes with a few of them changed, dropped, repeated or cut off. */
export function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    byte: fc.integer({ min: 0, max: 255 }),
    kind: fc.constantFrom('set', 'flip', 'drop', 'insert', 'cut', 'append'),
  });
  return fc.tuple(valid, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([start, edits]) => {
    let current = Array.from(start);
    for (const { at, byte, kind } of edits) {
      const i = Math.floor(at * current.length);
      if (kind === 'append') current.push(byte);
      else if (kind === 'insert') current.splice(i, 0, byte);
      else if (kind === 'cut') current = current.slice(0, i);
      else if (current.length === 0) continue;
      else if (kind === 'drop') current.splice(i, 1);
      else current[i] = kind === 'set' ? byte : current[i]! ^ (1 << (byte % 8));
    }
    return Uint8Array.from(current);
  });
}
