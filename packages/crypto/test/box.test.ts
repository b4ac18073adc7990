import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOX_OVERHEAD, openBox, sealBox, systemRandom } from '../src/index.ts';
import { codeOf, KEYS } from './stripe.ts';

const key = KEYS.headKey();
const domain = 'holdfast/head/v1';
const associated = Buffer.from('public part');
const content = Buffer.from('private part');
const box = sealBox({ key, domain, associated }, content, systemRandom);

describe('a box', () => {
  it('opens to what went in, and is never the same twice', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (inside, beside) => {
        const sealed = sealBox({ key, domain, associated: beside }, inside, systemRandom);
        expect(sealed.length).toBe(inside.length + BOX_OVERHEAD);
        expect(Buffer.from(openBox({ key, domain, associated: beside }, sealed)).equals(inside)).toBe(true);
      }),
    );
    expect(Buffer.from(sealBox({ key, domain, associated }, content, systemRandom)).equals(box)).toBe(false);
  });

  it('does not open under another key, domain or associated data', () => {
    const openings = [
      { key: KEYS.chunkIdKey(), domain, associated },
      { key, domain: 'holdfast/head/v2', associated },
      { key, domain },
      { key, domain, associated: Buffer.from('public parts') },
    ];
    for (const opening of openings) expect(codeOf(() => openBox(opening, box)).code).toBe('SEAL_BROKEN');
  });

  it('does not open when changed, cut or made up', () => {
    fc.assert(
      fc.property(fc.nat(box.length * 8 - 1), (bit) => {
        const broken = Uint8Array.from(box);
        broken[bit >> 3]! ^= 1 << (bit & 7);
        expect(codeOf(() => openBox({ key, domain, associated }, broken)).code).toBe('SEAL_BROKEN');
      }),
    );
    fc.assert(
      fc.property(
        fc.uint8Array(),
        (bytes) => codeOf(() => openBox({ key, domain }, bytes)).code === 'SEAL_BROKEN',
      ),
    );
  });
});
