import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { describe, expect, it } from 'vitest';
import { fixture, hex } from './fixture.ts';

/**
 * The platform signs hedged and cannot do otherwise: published signatures, which are without randomness, are made by the
 * second implementation and verified by the first.
 */

const base64 = (text: string) => Buffer.from(text, 'base64');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const fromSeed = (seed: Uint8Array) =>
  createPrivateKey({ key: Buffer.from(seed), format: 'raw-seed', asymmetricKeyType: 'ml-dsa-65' });

const fromPublic = (bytes: Uint8Array) =>
  createPublicKey({ key: Buffer.from(bytes), format: 'raw-public', asymmetricKeyType: 'ml-dsa-65' });

/** Key pair and signature are the published ones, and both implementations accept each other's signatures. */
function expectSignature(test: {
  readonly seed: string;
  readonly message: Uint8Array;
  readonly context: Uint8Array;
  readonly sigSha256: string;
}): void {
  const { message, context } = test;
  const key = fromSeed(hex(test.seed));
  const { secretKey, publicKey } = ml_dsa65.keygen(hex(test.seed));
  const signature = ml_dsa65.sign(message, secretKey, { extraEntropy: false, context });
  expect(sha256(signature)).toBe(test.sigSha256);
  expect(verify(null, message, { key: createPublicKey(key), context }, signature)).toBe(true);
  expect(ml_dsa65.verify(sign(null, message, { key, context }), message, publicKey, { context })).toBe(true);
}

describe('ML-DSA-65, NIST ACVP', () => {
  const { keyGen, sigGen } = fixture<{
    keyGen: { tcId: number; seed: string; pkSha256: string; skSha256: string }[];
    sigGen: { tcId: number; seed: string; context: string; message: string; sigSha256: string }[];
  }>('ml-dsa-65-acvp-sign.json');
  const { sigVer } = fixture<{
    sigVer: {
      tcId: number;
      reason: string;
      testPassed: boolean;
      pk: string;
      context: string;
      message: string;
      signature: string;
    }[];
  }>('ml-dsa-65-acvp-verify.json');

  it.each(keyGen)('key generation $tcId', ({ seed, pkSha256, skSha256 }) => {
    const key = fromSeed(hex(seed));
    expect(sha256(createPublicKey(key).export({ format: 'raw-public' }))).toBe(pkSha256);
    // With a seed, PKCS #8 ends in the expanded key.
    expect(sha256(key.export({ format: 'der', type: 'pkcs8' }).subarray(-4032))).toBe(skSha256);
  });

  it.each(sigGen)('signature $tcId', ({ seed, context, message, sigSha256 }) => {
    expectSignature({ seed, message: base64(message), context: hex(context), sigSha256 });
  });

  it.each(sigVer)('verification $tcId: $reason', ({ testPassed, pk, context, message, signature }) => {
    const key = { key: fromPublic(base64(pk)), context: hex(context) };
    expect(verify(null, base64(message), key, base64(signature))).toBe(testPassed);
  });
});

describe('ML-DSA-65, Wycheproof', () => {
  const vectors = fixture<{
    sign: {
      tcId: number;
      comment: string;
      seed: string;
      msg: string;
      publicKeySha256: string;
      sigSha256: string;
    }[];
    refused: { publicKey: string; tests: { tcId: number; comment: string; msg: string; sig: string }[] };
  }>('ml-dsa-65.json');

  it.each(vectors.sign)('$tcId: $comment', ({ seed, msg, publicKeySha256, sigSha256 }) => {
    expect(sha256(createPublicKey(fromSeed(hex(seed))).export({ format: 'raw-public' }))).toBe(
      publicKeySha256,
    );
    expectSignature({ seed, message: hex(msg), context: new Uint8Array(0), sigSha256 });
  });

  it.each(vectors.refused.tests)('refuses $tcId: $comment', ({ msg, sig }) => {
    const key = fromPublic(base64(vectors.refused.publicKey));
    expect(verify(null, hex(msg), key, base64(sig))).toBe(false);
  });
});
