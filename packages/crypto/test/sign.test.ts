import { createPublicKey, verify } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HybridVerifier, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, VaultKeys } from '../src/index.ts';
import { codeOf, KEYS } from './stripe.ts';

const DOMAIN = 'holdfast/test/v1';
const MESSAGE = Buffer.from('what the owner says');
const signer = KEYS.signer();
const verifier = KEYS.verifier();
const signature = signer.sign(DOMAIN, MESSAGE);

describe('hybrid signatures', () => {
  it('have the sizes of their parts, and verify from the public key alone', () => {
    expect([PUBLIC_KEY_BYTES, SIGNATURE_BYTES]).toEqual([32 + 1952, 64 + 3309]);
    expect(signer.publicKey).toHaveLength(PUBLIC_KEY_BYTES);
    expect(signature).toHaveLength(SIGNATURE_BYTES);
    expect(HybridVerifier.fromPublicKey(signer.publicKey).verify(DOMAIN, MESSAGE, signature)).toBe(true);
    expect(verifier.verify(DOMAIN, new Uint8Array(0), signer.sign(DOMAIN, new Uint8Array(0)))).toBe(true);
  });

  it('come from keys that the root alone decides', () => {
    const again = VaultKeys.fromRoot(Uint8Array.from({ length: 32 }, (_, i) => i));
    expect(Buffer.from(again.signer().publicKey).equals(signer.publicKey)).toBe(true);
    expect(verifier.verify(DOMAIN, MESSAGE, again.signer().sign(DOMAIN, MESSAGE))).toBe(true);
    expect(VaultKeys.fromRoot(Buffer.alloc(32, 1)).verifier().verify(DOMAIN, MESSAGE, signature)).toBe(false);
  });

  it('sign the bytes that docs/specs/keys.md describes, each half by itself', () => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(MESSAGE.length));
    const bytes = Buffer.concat([
      Buffer.from('holdfast/signature-ed25519-ml-dsa-65/v1\0'),
      Buffer.from([0, DOMAIN.length]),
      Buffer.from(DOMAIN),
      length,
      MESSAGE,
    ]);
    const [classical, postQuantum] = [signature.subarray(0, 64), signature.subarray(64)];
    const ed25519 = createPublicKey({
      key: Buffer.from(signer.publicKey.subarray(0, 32)),
      format: 'raw-public',
      asymmetricKeyType: 'ed25519',
    });
    expect(verify(null, bytes, ed25519, classical)).toBe(true);
    expect(ml_dsa65.verify(postQuantum, bytes, signer.publicKey.subarray(32))).toBe(true);
    expect(verify(null, MESSAGE, ed25519, classical)).toBe(false);
  });

  it('need both halves', () => {
    const other = signer.sign(DOMAIN, Buffer.from('something else'));
    const classicalOnly = Buffer.concat([signature.subarray(0, 64), other.subarray(64)]);
    const postQuantumOnly = Buffer.concat([other.subarray(0, 64), signature.subarray(64)]);
    expect(verifier.verify(DOMAIN, MESSAGE, classicalOnly)).toBe(false);
    expect(verifier.verify(DOMAIN, MESSAGE, postQuantumOnly)).toBe(false);
  });

  it('hold for one domain and one message only', () => {
    expect(verifier.verify('holdfast/test/v2', MESSAGE, signature)).toBe(false);
    expect(verifier.verify(DOMAIN, Buffer.concat([MESSAGE, Buffer.alloc(1)]), signature)).toBe(false);
    // Bytes moved from the domain to the message must not give the same signed bytes.
    const moved = signer.sign('ab', Buffer.from('c'));
    expect(verifier.verify('a', Buffer.from('bc'), moved)).toBe(false);
    expect(codeOf(() => signer.sign('', MESSAGE)).code).toBe('INTERNAL');
    expect(codeOf(() => signer.sign('x'.repeat(256), MESSAGE)).code).toBe('INTERNAL');
  });

  it('break with any bit, and with any other length', () => {
    fc.assert(
      fc.property(fc.nat(SIGNATURE_BYTES * 8 - 1), (bit) => {
        const broken = Uint8Array.from(signature);
        broken[bit >> 3]! ^= 1 << (bit & 7);
        expect(verifier.verify(DOMAIN, MESSAGE, broken)).toBe(false);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4000 }), (bytes) => !verifier.verify(DOMAIN, MESSAGE, bytes)),
    );
    expect(verifier.verify(DOMAIN, MESSAGE, Buffer.concat([signature, Buffer.alloc(1)]))).toBe(false);
  });

  it('take any public key of the right length, and only those', () => {
    for (const length of [0, 32, PUBLIC_KEY_BYTES - 1, PUBLIC_KEY_BYTES + 1]) {
      expect(codeOf(() => HybridVerifier.fromPublicKey(new Uint8Array(length))).code).toBe('FORMAT_INVALID');
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: PUBLIC_KEY_BYTES, maxLength: PUBLIC_KEY_BYTES }), (bytes) => {
        expect(HybridVerifier.fromPublicKey(bytes).verify(DOMAIN, MESSAGE, signature)).toBe(false);
      }),
    );
  });
});
