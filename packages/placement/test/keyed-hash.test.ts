import { expect, test } from 'vitest';
import { KeyedHash } from '../src/assign/keyed-hash.ts';

/** From the reference implementation's vectors: key 00 01 … 07, message 00 01 … of length i. */
const VECTORS = [
  '218d1f59b9b83cc8',
  'be552412f8387315',
  '064f39ef7c50eb57',
  'ce0f1a45f7060679',
  'd5e78a175be52ea1',
  'cb9d7c3f2f3db580',
  'ce3e91358aa2bc25',
  'ff202728b07bc684',
  'edfee820bce4858c',
  '5b51cccc13888307',
  '95b0469f06a6f2ee',
  'ae26333994ddcd48',
  '7bc71f9faef5c799',
  '5a2352d75a0c3744',
  '3bb1a870eae8e658',
  '217d0bcb4e81c902',
];
const key = Uint8Array.from({ length: 8 }, (_, i) => i);
const message = (length: number): string => String.fromCharCode(...Array.from({ length }, (_, i) => i));
const hex = (words: [number, number]): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(words[0], 0);
  bytes.writeUInt32LE(words[1], 4);
  return bytes.toString('hex');
};

test('HalfSipHash-2-4 gives the reference’s vectors, however the text is split', () => {
  for (const [length, vector] of VECTORS.entries()) {
    expect(hex(new KeyedHash(key, '').words(message(length)))).toBe(vector);
    for (let split = 0; split <= length; split += 4) {
      const hash = new KeyedHash(key, message(length).slice(0, split));
      expect(hex(hash.words(message(length).slice(split)))).toBe(vector);
      expect(hex(hash.words(message(length).slice(split)))).toBe(vector);
    }
  }
});

test('uniform numbers fill the interval and depend on salt, prefix and text', () => {
  const hash = KeyedHash.fromSalt(Uint8Array.of(1), 'abcd');
  const numbers = Array.from({ length: 10_000 }, (_, i) => hash.uniform(`peer ${i}`));
  expect(Math.min(...numbers)).toBeGreaterThan(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  // The mean of 10 000 uniform numbers has a standard deviation of 0.0029.
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.0145);
  expect(KeyedHash.fromSalt(Uint8Array.of(2), 'abcd').uniform('peer 1')).not.toBe(numbers[1]);
  expect(KeyedHash.fromSalt(Uint8Array.of(1), 'abce').uniform('peer 1')).not.toBe(numbers[1]);
});
