import { toHex } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { phraseFromRoot, rootFromPhrase } from '../src/index.ts';
import { hex } from './fixture.ts';
import { codeOf } from './stripe.ts';

// From the vectors of BIP-39's reference implementation (trezor/python-mnemonic, vectors.json).
const VECTORS: readonly (readonly [string, string])[] = [
  ['00'.repeat(32), `${'abandon '.repeat(23)}art`],
  [
    '7f'.repeat(32),
    `${'legal winner thank year wave sausage worth useful '.repeat(2)}legal winner thank year wave sausage worth title`,
  ],
  ['ff'.repeat(32), `${'zoo '.repeat(23)}vote`],
];

describe('the recovery phrase', () => {
  it.each(VECTORS)('of %s is BIP-39’s', (entropy, phrase) => {
    expect(phraseFromRoot(hex(entropy))).toBe(phrase);
    expect(toHex(rootFromPhrase(phrase))).toBe(entropy);
  });

  it('gives back any root, however it was typed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (root) => {
        const phrase = phraseFromRoot(root);
        expect(phrase.split(' ')).toHaveLength(24);
        expect(toHex(rootFromPhrase(` ${phrase.toUpperCase().replaceAll(' ', '\n\t ')}\n`))).toBe(
          toHex(root),
        );
      }),
    );
  });

  it('names the wrong word and what it may have been', () => {
    const words = VECTORS[1]![1].split(' ');
    const error = codeOf(() => rootFromPhrase(words.with(5, 'sausgae').join(' ')));
    expect(error.code).toBe('KEY_WRONG');
    expect(error.message).toContain('Word 6');
    expect(error.message).toContain('sausage');
    expect(error.details).toEqual({ place: 6 });
  });

  it('KEY_WRONG for a missing word, or a known word in the wrong place, quoting nothing', () => {
    const words = VECTORS[1]![1].split(' ');
    expect(codeOf(() => rootFromPhrase(words.slice(1).join(' '))).message).toContain('23');
    const swapped = codeOf(() => rootFromPhrase(words.with(0, 'zoo').join(' ')));
    expect(swapped.code).toBe('KEY_WRONG');
    expect(swapped.cause).toBeUndefined();
    for (const word of words) expect(swapped.message.split(' ')).not.toContain(word);
  });

  it('takes arbitrary text without any other failure', () => {
    fc.assert(fc.property(fc.string(), (text) => codeOf(() => rootFromPhrase(text)).code === 'KEY_WRONG'));
    expect(codeOf(() => phraseFromRoot(new Uint8Array(16))).code).toBe('KEY_WRONG');
  });
});
