import { createHash, createPrivateKey, createPublicKey, decapsulate, type KeyObject } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { describe, expect, it } from 'vitest';
import { fixture, hex } from './fixture.ts';

/**
 * What X-Wing is built on, under other people's answers. OpenSSL draws the randomness of an encapsulation itself, so that
 * its ciphertexts cannot be foretold: published ones are made by the second implementation and opened by the first.
 */

interface KeyGen {
  readonly tcId: number;
  readonly seed: string;
  readonly ekSha256: string;
  readonly dkSha256: string;
}
interface Decapsulation {
  readonly tcId: number;
  readonly comment: string;
  readonly result: 'valid' | 'invalid';
  readonly seed: string;
  /** Absent where the key is refused already. */
  readonly c?: string;
  readonly k: string;
  readonly ekSha256: string;
}
interface Checked {
  readonly tcId: number;
  readonly reason: string;
  readonly testPassed: boolean;
}

const base64 = (text: string) => Buffer.from(text, 'base64');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const ekOf = (dk: Uint8Array) => dk.subarray(1152, 1152 + 1184);

const fromSeed = (seed: Uint8Array) =>
  createPrivateKey({ key: Buffer.from(seed), format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' });

const publicKey = (ek: Uint8Array) =>
  createPublicKey({ key: Buffer.from(ek), format: 'raw-public', asymmetricKeyType: 'ml-kem-768' });

const rawPublic = (key: KeyObject) => key.export({ format: 'raw-public' });

/** PKCS #8 with FIPS 203's own form of a private key (the expandedKey of RFC 9935), which has no raw format in Node. */
function fromExpanded(dk: Uint8Array): KeyObject {
  const sized = (tag: number, body: Uint8Array) =>
    Buffer.concat([Uint8Array.of(tag, 0x82, body.length >> 8, body.length & 0xff), body]);
  const algorithm = hex('020100300b0609608648016503040402');
  const key = sized(0x30, Buffer.concat([algorithm, sized(0x04, sized(0x04, dk))]));
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function expectKeyPair({ seed, ekSha256, dkSha256 }: KeyGen): void {
  const key = fromSeed(hex(seed));
  expect(sha256(rawPublic(createPublicKey(key)))).toBe(ekSha256);
  // With a seed, PKCS #8 ends in the expanded key.
  expect(sha256(key.export({ format: 'der', type: 'pkcs8' }).subarray(-2400))).toBe(dkSha256);
}

describe('ML-KEM-768, NIST ACVP', () => {
  const vectors = fixture<{
    keyGen: KeyGen[];
    encapsulation: { tcId: number; dk: string; m: string; c: string; k: string }[];
    decapsulation: { tcId: number; reason: string; seed: string; c: string; k: string }[];
    decapsulationExpanded: { tcId: number; reason: string; dk: string; c: string; k: string }[];
    decapsulationKeyCheck: (Checked & { dk: string })[];
    encapsulationKeyCheck: (Checked & { ek: string })[];
  }>('ml-kem-768-acvp.json');

  it.each(vectors.keyGen)('key generation $tcId', (test) => expectKeyPair(test));

  it.each(vectors.encapsulation)('encapsulation $tcId', ({ dk, m, c, k }) => {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(ekOf(base64(dk)), hex(m));
    expect(base64(c).equals(cipherText)).toBe(true);
    expect(hex(k).equals(sharedSecret)).toBe(true);
    expect(decapsulate(fromExpanded(base64(dk)), base64(c)).toString('hex')).toBe(k);
  });

  it.each(vectors.decapsulation)('decapsulation $tcId: $reason', ({ seed, c, k }) => {
    expect(decapsulate(fromSeed(hex(seed)), base64(c)).toString('hex')).toBe(k);
  });

  it.each(vectors.decapsulationExpanded)('decapsulation $tcId: $reason', ({ dk, c, k }) => {
    expect(decapsulate(fromExpanded(base64(dk)), base64(c)).toString('hex')).toBe(k);
  });

  it.each(vectors.decapsulationKeyCheck)('private key check $tcId: $reason', ({ dk, testPassed }) => {
    const load = () => fromExpanded(base64(dk));
    if (testPassed) expect(rawPublic(createPublicKey(load())).equals(ekOf(base64(dk)))).toBe(true);
    else expect(load).toThrow();
  });

  it.each(vectors.encapsulationKeyCheck)('public key check $tcId: $reason', ({ ek, testPassed }) => {
    const load = () => publicKey(base64(ek));
    if (testPassed) expect(rawPublic(load()).equals(base64(ek))).toBe(true);
    else expect(load).toThrow();
  });
});

describe('ML-KEM-768, Wycheproof', () => {
  const vectors = fixture<{
    keyGen: KeyGen[];
    decapsulation: Decapsulation[];
    decapsulationExpanded: (Omit<Decapsulation, 'seed' | 'ekSha256'> & { dk: string; c: string })[];
    refusedPublicKeys: { tcId: number; comment: string; ek: string }[];
  }>('ml-kem-768.json');

  it.each(vectors.keyGen)('key generation $tcId', (test) => expectKeyPair(test));

  it.each(vectors.decapsulation)('decapsulation $tcId: $comment', ({ result, seed, c, k, ekSha256 }) => {
    if (c === undefined) {
      expect(() => fromSeed(hex(seed))).toThrow();
      return;
    }
    const key = fromSeed(hex(seed));
    const open = () => decapsulate(key, base64(c)).toString('hex');
    if (result === 'valid') expect([sha256(rawPublic(createPublicKey(key))), open()]).toEqual([ekSha256, k]);
    else expect(open).toThrow();
  });

  it.each(vectors.decapsulationExpanded)('expanded key $tcId: $comment', ({ result, dk, c, k }) => {
    const open = () => decapsulate(fromExpanded(base64(dk)), base64(c)).toString('hex');
    if (result === 'valid') expect(open()).toBe(k);
    else expect(open).toThrow();
  });

  it.each(vectors.refusedPublicKeys)('refuses public key $tcId: $comment', ({ ek }) => {
    expect(() => publicKey(base64(ek))).toThrow();
  });
});
