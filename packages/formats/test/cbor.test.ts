import { HoldfastError } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CborValue, decodeCanonical, encodeCanonical, MAX_CBOR_DEPTH } from '../src/index.ts';
import { anyBytes, cborValue, mutated } from './arbitraries.ts';

const limits = { what: 'the test value', maxBytes: 1 << 20 };
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Of this thread only, unlike the resident set: other tests do not disturb it. */
function allocated(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('canonical CBOR', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(cborValue, (value) => {
        expect(decodeCanonical(encodeCanonical(value), limits)).toEqual(value);
      }),
    );
  });

  it('accepts only bytes that it would encode itself', () => {
    const input = fc.oneof(anyBytes, mutated(cborValue.map((value) => encodeCanonical(value))));
    fc.assert(
      fc.property(input, (bytes) => {
        let value: CborValue;
        try {
          value = decodeCanonical(bytes, limits);
        } catch (error) {
          expect(HoldfastError.is(error, 'FORMAT_INVALID')).toBe(true);
          return;
        }
        expect(Buffer.from(encodeCanonical(value))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['nothing', ''],
    ['trailing bytes', '00 00'],
    ['an integer longer than needed', '18 17'],
    ['a length longer than needed', '58 01 00'],
    ['an indefinite byte string', '5f 41 00 ff'],
    ['an indefinite array', '9f 00 ff'],
    ['an indefinite map', 'bf 61 61 00 ff'],
    ['a break alone', 'ff'],
    ['a half float', 'f9 3c 00'],
    ['a double', 'fb 3f f0 00 00 00 00 00 00'],
    ['not a number', 'f9 7e 00'],
    ['a tag', 'c0 60'],
    ['a big number tag', 'c2 49 01 00 00 00 00 00 00 00 00'],
    ['undefined', 'f7'],
    ['another simple value', 'f8 20'],
    ['a repeated key', 'a2 61 61 00 61 61 01'],
    ['keys out of order', 'a2 61 62 00 61 61 01'],
    ['a longer key first', 'a2 62 61 61 00 61 62 01'],
    ['a key that is a number', 'a1 00 00'],
    ['a key that is a list', 'a1 80 00'],
    ['text that is not UTF-8', '61 ff'],
    ['text with an encoded surrogate', '63 ed a0 80'],
    ['text cut inside a character', '62 c3 28'],
    ['bytes cut short', '43 00 00'],
    ['an array with less than announced', '82 00'],
    ['a map without its last value', 'a1 61 61'],
    ['a reserved length', '1c'],
  ])('refuses %s', (_name, bytes) => {
    expect(() => decodeCanonical(hex(bytes), limits)).toThrow(
      expect.objectContaining({ code: 'FORMAT_INVALID', message: expect.stringContaining('the test value') }),
    );
  });

  it.each([
    ['array', '9b 00 1f ff ff ff ff ff ff'],
    ['map', 'bb 00 1f ff ff ff ff ff ff'],
    ['byte string', '5b 00 1f ff ff ff ff ff ff'],
    ['text', '7b 00 1f ff ff ff ff ff ff'],
    ['array beyond integers', '9b ff ff ff ff ff ff ff ff'],
    ['four gigabytes', '5a ff ff ff ff'],
  ])('refuses the announced length of a huge %s without allocating it', (_name, bytes) => {
    const before = allocated();
    expect(() => decodeCanonical(hex(bytes), limits)).toThrow(HoldfastError);
    expect(allocated() - before).toBeLessThan(8 << 20);
  });

  it('refuses input above its limit unread', () => {
    expect(() => decodeCanonical(new Uint8Array(11), { what: 'x', maxBytes: 10 })).toThrow(
      /11 bytes; at most 10/,
    );
  });

  it('bounds nesting on both sides', () => {
    const nested = (levels: number): CborValue => (levels === 0 ? 0 : [nested(levels - 1)]);
    const deepest = encodeCanonical(nested(MAX_CBOR_DEPTH));
    expect(decodeCanonical(deepest, limits)).toEqual(nested(MAX_CBOR_DEPTH));
    expect(() => encodeCanonical(nested(MAX_CBOR_DEPTH + 1))).toThrow(/nesting/);
    expect(() => decodeCanonical(Buffer.concat([hex('81'), deepest]), limits)).toThrow(/nested/);
    expect(() => decodeCanonical(Buffer.alloc(1 << 20, 0x81), limits)).toThrow(/nested/);
  });

  it('keeps a byte order mark and a replacement character', () => {
    for (const text of ['\ufeffa', '\ufeff', '\ufffd', 'a'.repeat(40), `\ufeff${'é'.repeat(40)}`]) {
      expect(decodeCanonical(encodeCanonical(text), limits)).toBe(text);
    }
  });

  it('keeps keys that are names on every object', () => {
    const value = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}');
    expect(decodeCanonical(encodeCanonical(value), limits)).toEqual(value);
  });

  it('returns memory of its own', () => {
    const bytes = Buffer.from(encodeCanonical(Uint8Array.of(1, 2, 3)));
    const value = decodeCanonical(bytes, limits);
    bytes.fill(0);
    expect(value).toEqual(Uint8Array.of(1, 2, 3));
  });

  it.each([[0.5], [Number.NaN], [2 ** 53], [2n ** 64n], ['\ud800'], [undefined as unknown as null]])(
    'does not encode %s',
    (value) => {
      expect(() => encodeCanonical([value])).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    },
  );

  it('follows the examples of RFC 8949, appendix A', () => {
    const examples: [CborValue, string][] = [
      [0, '00'],
      [23, '17'],
      [24, '1818'],
      [1000000000000, '1b000000e8d4a51000'],
      [18446744073709551615n, '1bffffffffffffffff'],
      [-18446744073709551616n, '3bffffffffffffffff'],
      [-1000, '3903e7'],
      [Uint8Array.of(1, 2, 3, 4), '4401020304'],
      ['\u6c34', '63e6b0b4'],
      [[1, [2, 3], [4, 5]], '8301820203820405'],
      [{ a: 1, b: [2, 3] }, 'a26161016162820203'],
    ];
    for (const [value, encoded] of examples) {
      expect(Buffer.from(encodeCanonical(value)).toString('hex')).toBe(encoded);
      expect(decodeCanonical(hex(encoded), limits)).toEqual(value);
    }
  });
});
