import { inspect } from 'node:util';
import { toHex } from '@holdfast/contracts';
import { ml_kem768_x25519 as noble } from '@noble/post-quantum/hybrid.js';
import { describe, expect, it } from 'vitest';
import {
  X_WING_CIPHERTEXT_BYTES,
  X_WING_PUBLIC_BYTES,
  XWingPrivateKey,
  XWingPublicKey,
} from '../src/x-wing.ts';
import { fixture, hex } from './fixture.ts';
import { LOW_ORDER_POINTS } from './low-order.ts';
import { codeOf, fill } from './stripe.ts';

const SEED = fill(32);
const privateKey = XWingPrivateKey.fromSeed(SEED);
const publicKey = XWingPublicKey.fromBytes(privateKey.publicKey);

describe('X-Wing', () => {
  const { tests } = fixture<{
    tests: { seed: string; eseed: string; ss: string; pk: string; ct: string }[];
  }>('x-wing.json');

  it.each(tests)('gives what the draft gives, seed $seed', ({ seed, eseed, ss, pk, ct }) => {
    const key = XWingPrivateKey.fromSeed(hex(seed));
    expect(Buffer.from(key.publicKey).toString('base64')).toBe(pk);
    expect(toHex(key.decapsulate(Buffer.from(ct, 'base64')))).toBe(ss);
    // The second implementation can be told its randomness: what it makes here is what it makes below.
    const made = noble.encapsulate(Buffer.from(pk, 'base64'), hex(eseed));
    expect(Buffer.from(made.cipherText).toString('base64')).toBe(ct);
    expect(toHex(made.sharedSecret)).toBe(ss);
  });

  it('agrees with a second implementation, in both directions', () => {
    for (let run = 0; run < 20; run++) {
      const seed = fill(32, run + 2);
      const ours = XWingPrivateKey.fromSeed(seed);
      const theirs = noble.keygen(seed);
      expect(toHex(ours.publicKey)).toBe(toHex(theirs.publicKey));
      const sent = XWingPublicKey.fromBytes(theirs.publicKey).encapsulate();
      expect(toHex(noble.decapsulate(sent.ciphertext, theirs.secretKey))).toBe(toHex(sent.sharedSecret));
      const received = noble.encapsulate(ours.publicKey);
      expect(toHex(ours.decapsulate(received.cipherText))).toBe(toHex(received.sharedSecret));
    }
  });

  it('never gives the same secret twice', () => {
    const made = Array.from({ length: 5 }, () => publicKey.encapsulate());
    expect(new Set(made.map(({ sharedSecret }) => toHex(sharedSecret))).size).toBe(5);
    expect(new Set(made.map(({ ciphertext }) => toHex(ciphertext.subarray(0, 1088)))).size).toBe(5);
    expect(new Set(made.map(({ ciphertext }) => toHex(ciphertext.subarray(1088)))).size).toBe(5);
  });

  it('binds both halves: exchanging either gives an unrelated secret', () => {
    const [a, b] = [publicKey.encapsulate(), publicKey.encapsulate()];
    const mixed = Buffer.concat([a.ciphertext.subarray(0, 1088), b.ciphertext.subarray(1088)]);
    const secrets = [a.sharedSecret, b.sharedSecret, privateKey.decapsulate(mixed)].map(toHex);
    expect(new Set(secrets).size).toBe(3);
  });

  it('binds the spelling of its X25519 half, whose top bit X25519 itself ignores', () => {
    const { ciphertext, sharedSecret } = publicKey.encapsulate();
    const respelt = Uint8Array.from(ciphertext);
    respelt[X_WING_CIPHERTEXT_BYTES - 1]! ^= 0x80;
    expect(toHex(privateKey.decapsulate(respelt))).not.toBe(toHex(sharedSecret));
    const key = Uint8Array.from(privateKey.publicKey);
    key[X_WING_PUBLIC_BYTES - 1]! ^= 0x80;
    const sent = XWingPublicKey.fromBytes(key).encapsulate();
    expect(toHex(privateKey.decapsulate(sent.ciphertext))).not.toBe(toHex(sent.sharedSecret));
  });
});

describe('malformed input to X-Wing', () => {
  it('is refused for its length', () => {
    for (const length of [0, 31, 33, 64]) {
      expect(codeOf(() => XWingPrivateKey.fromSeed(new Uint8Array(length))).code).toBe('KEY_WRONG');
    }
    for (const length of [0, 32, 1184, X_WING_PUBLIC_BYTES - 1, X_WING_PUBLIC_BYTES + 1]) {
      const error = codeOf(() => XWingPublicKey.fromBytes(new Uint8Array(length)));
      expect(error.code).toBe('FORMAT_INVALID');
      expect(error.message).toContain(`not ${length}`);
    }
    for (const length of [0, 32, 1088, X_WING_CIPHERTEXT_BYTES - 1, X_WING_CIPHERTEXT_BYTES + 1]) {
      const error = codeOf(() => privateKey.decapsulate(new Uint8Array(length)));
      expect(error.code).toBe('FORMAT_INVALID');
      expect(error.message).toContain(`not ${length}`);
    }
  });

  it('is refused where an ML-KEM coefficient is beyond the modulus', () => {
    const { refusedPublicKeys } = fixture<{ refusedPublicKeys: { ek: string }[] }>('ml-kem-768.json');
    for (const { ek } of refusedPublicKeys) {
      const key = Buffer.concat([Buffer.from(ek, 'base64'), privateKey.publicKey.subarray(1184)]);
      expect(codeOf(() => XWingPublicKey.fromBytes(key)).code).toBe('FORMAT_INVALID');
    }
  });

  it.each(LOW_ORDER_POINTS)('is refused where X25519 would give zeros: %s', (point) => {
    const { ciphertext } = publicKey.encapsulate();
    ciphertext.set(hex(point), 1088);
    expect(codeOf(() => privateKey.decapsulate(ciphertext)).code).toBe('FORMAT_INVALID');
    const key = Uint8Array.from(privateKey.publicKey);
    key.set(hex(point), 1184);
    expect(codeOf(() => XWingPublicKey.fromBytes(key).encapsulate()).code).toBe('FORMAT_INVALID');
  });

  it('of the right length gives a secret that says nothing of being wrong', () => {
    const { ciphertext, sharedSecret } = publicKey.encapsulate();
    ciphertext[0]! ^= 1;
    const secret = privateKey.decapsulate(ciphertext);
    expect(secret).toHaveLength(32);
    expect(toHex(secret)).not.toBe(toHex(sharedSecret));
    expect(toHex(privateKey.decapsulate(ciphertext))).toBe(toHex(secret));
  });
});

describe('an X-Wing private key', () => {
  it('does not keep the seed, nor show itself', () => {
    const seed = Uint8Array.from(SEED);
    const key = XWingPrivateKey.fromSeed(seed);
    seed.fill(0);
    const { ciphertext, sharedSecret } = publicKey.encapsulate();
    expect(toHex(key.decapsulate(ciphertext))).toBe(toHex(sharedSecret));
    expect(inspect(key, { showHidden: true, depth: 9, getters: true })).toBe('XWingPrivateKey [secret]');
    expect(JSON.stringify({ key })).toBe('{"key":"[secret]"}');
  });
});
