import { generateKeyPairSync } from 'node:crypto';
import { isPeerId, peerIdFromKey, peerIdToKey } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, text } from './arbitraries.ts';

describe('peer ids', () => {
  it('follow the example of the libp2p specification', () => {
    const id = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA';
    expect(peerIdFromKey(peerIdToKey(id)!)).toBe(id);
  });

  it('are the text form of any 32-byte key', () => {
    fc.assert(
      fc.property(bytes(32), (key) => {
        const id = peerIdFromKey(key);
        expect(isPeerId(id)).toBe(true);
        expect(Buffer.from(peerIdToKey(id)!)).toEqual(Buffer.from(key));
      }),
    );
    const raw = generateKeyPairSync('ed25519')
      .publicKey.export({ format: 'der', type: 'spki' })
      .subarray(-32);
    expect(isPeerId(peerIdFromKey(raw))).toBe(true);
  });

  it('of any other text are null', () => {
    expect(peerIdToKey(`12D3KooW${'z'.repeat(44)}`)).toBeNull();
    expect(peerIdToKey('1'.repeat(52))).toBeNull();
    expect(peerIdToKey('z'.repeat(52))).toBeNull();
    fc.assert(fc.property(text(60), (other) => peerIdToKey(other) === null));
  });
});
