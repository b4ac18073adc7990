import { createDecipheriv } from 'node:crypto';
import { toHex } from '@holdfast/contracts';
import { Aes256Gcm, CipherSuite, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseKeySchedule, suiteId } from '../src/hpke.ts';
import { HybridUnwrapper, HybridWrapper, WRAP_OVERHEAD } from '../src/index.ts';
import { XWingPrivateKey } from '../src/x-wing.ts';
import { fixture, hex } from './fixture.ts';
import { fill } from './stripe.ts';

describe('HPKE with X-Wing', () => {
  const { tests } = fixture<{
    tests: {
      kem: number;
      kdf: number;
      aead: number;
      suiteId: string;
      info: string;
      skR: string;
      pkR: string;
      enc: string;
      sharedSecret: string;
      key: string;
      baseNonce: string;
      encryption: { aad: string; pt: string; ct: string };
    }[];
  }>('hpke-x-wing.json');

  // No published vector pairs X-Wing with AES-256-GCM. The schedule differs in the suite's number only.
  it.each(tests)('has the keys of draft-ietf-hpke-pq, suite $suiteId', (test) => {
    const suite = suiteId(test.kem, test.kdf, test.aead);
    expect(toHex(suite)).toBe(test.suiteId);
    const recipient = XWingPrivateKey.fromSeed(hex(test.skR));
    expect(Buffer.from(recipient.publicKey).toString('base64')).toBe(test.pkR);
    const shared = recipient.decapsulate(Buffer.from(test.enc, 'base64'));
    expect(toHex(shared)).toBe(test.sharedSecret);
    const { key, nonce } = baseKeySchedule(suite, shared, hex(test.info));
    expect([toHex(key), toHex(nonce)]).toEqual([test.key, test.baseNonce]);
    const { aad, pt, ct } = test.encryption;
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
      .setAAD(hex(aad), { plaintextLength: pt.length / 2 })
      .setAuthTag(hex(ct).subarray(-16));
    expect(decipher.update(hex(ct).subarray(0, -16), undefined, 'hex') + decipher.final('hex')).toBe(pt);
  });
});

describe('a wrapped secret', () => {
  const suite = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const seed = fill(32);
  const unwrapper = HybridUnwrapper.fromSeed(seed);
  const wrapper = HybridWrapper.fromPublicKey(unwrapper.publicKey);

  /** docs/specs/keys.md */
  const infoOf = (domain: string) =>
    Buffer.concat([
      Buffer.from('holdfast/wrap-x-wing/v1\0'),
      Buffer.from([0, domain.length]),
      Buffer.from(domain),
    ]);

  it('is opened by another implementation of HPKE, and the other way round', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 }),
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        async (domain, secret, associated) => {
          const info = infoOf(domain);
          const wrapped = wrapper.wrap({ domain, associated }, secret);
          const opened = await suite.open(
            {
              recipientKey: await suite.kem.importKey('raw', Uint8Array.from(seed), false),
              enc: Uint8Array.from(wrapped.subarray(0, 1120)),
              info,
            },
            Uint8Array.from(wrapped.subarray(1120)),
            associated,
          );
          expect(toHex(new Uint8Array(opened))).toBe(toHex(secret));

          const recipientPublicKey = await suite.kem.importKey(
            'raw',
            Uint8Array.from(unwrapper.publicKey),
            true,
          );
          const sealed = await suite.seal({ recipientPublicKey, info }, secret, associated);
          const record = Buffer.concat([new Uint8Array(sealed.enc), new Uint8Array(sealed.ct)]);
          expect(record.length).toBe(secret.length + WRAP_OVERHEAD);
          expect(toHex(unwrapper.unwrap({ domain, associated }, record))).toBe(toHex(secret));
        },
      ),
      { numRuns: 15 },
    );
  });
});
