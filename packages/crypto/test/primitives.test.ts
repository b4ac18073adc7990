import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  sign,
  verify,
} from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hkdfExpand, hkdfExtract } from '../src/hkdf.ts';
import { fixture, hex } from './fixture.ts';

/** What the platform brings is trusted for its speed only: these are other people's answers. */

interface GcmTest {
  readonly tcId: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
  readonly result: 'valid' | 'invalid';
}

describe('AES-256-GCM', () => {
  const { tests } = fixture<{ tests: GcmTest[] }>('aes-256-gcm.json');

  it.each(tests)('Wycheproof $tcId ($result)', (test) => {
    const [key, iv, aad] = [hex(test.key), hex(test.iv), hex(test.aad)];
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad);
    const sealed = Buffer.concat([
      cipher.update(hex(test.msg)),
      cipher.final(),
      cipher.getAuthTag(),
    ]).toString('hex');
    expect(sealed === test.ct + test.tag).toBe(test.result === 'valid');
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 })
      .setAAD(aad)
      .setAuthTag(hex(test.tag));
    const open = () => Buffer.concat([decipher.update(hex(test.ct)), decipher.final()]).toString('hex');
    if (test.result === 'valid') expect(open()).toBe(test.msg);
    else expect(open).toThrow();
  });
});

describe('AES-256-CTR', () => {
  it('NIST SP 800-38A F.5.5, whole and in pieces', () => {
    const key = hex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4');
    const counter = hex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
    const plain = hex(
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
    );
    const expected =
      '601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6';
    expect(createCipheriv('aes-256-ctr', key, counter).update(plain).toString('hex')).toBe(expected);
    const pieces = createCipheriv('aes-256-ctr', key, counter);
    const parts = [plain.subarray(0, 5), plain.subarray(5, 33), plain.subarray(33)].map((part) =>
      pieces.update(part),
    );
    expect(Buffer.concat(parts).toString('hex')).toBe(expected);
  });
});

describe('HKDF-SHA256', () => {
  it.each([
    [
      'A.1',
      '0b'.repeat(22),
      '000102030405060708090a0b0c',
      'f0f1f2f3f4f5f6f7f8f9',
      '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    ],
    [
      'A.3',
      '0b'.repeat(22),
      '',
      '',
      '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    ],
  ])('RFC 5869 %s', (_, input, salt, info, prk, okm) => {
    const extracted = hkdfExtract(hex(salt), hex(input));
    expect(Buffer.from(extracted).toString('hex')).toBe(prk);
    expect(Buffer.from(hkdfExpand(extracted, hex(info), okm.length / 2)).toString('hex')).toBe(okm);
  });

  const { tests } = fixture<{
    tests: {
      tcId: number;
      ikm: string;
      salt: string;
      info: string;
      size: number;
      okm: string;
      result: string;
    }[];
  }>('hkdf-sha256.json');

  it.each(tests)('Wycheproof $tcId ($size bytes, $result)', ({ ikm, salt, info, size, okm, result }) => {
    const derive = () =>
      Buffer.from(hkdfExpand(hkdfExtract(hex(salt), hex(ikm)), hex(info), size)).toString('hex');
    if (result === 'valid') expect(derive()).toBe(okm);
    else expect(derive).toThrow(RangeError);
  });
});

describe('Ed25519', () => {
  it.each([
    [
      'TEST 1',
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      'TEST 2',
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
  ])('RFC 8032 §7.1 %s', (_, seed, publicKey, message, signature) => {
    const key = createPrivateKey({ key: hex(seed), format: 'raw-private', asymmetricKeyType: 'ed25519' });
    expect(createPublicKey(key).export({ format: 'raw-public' }).toString('hex')).toBe(publicKey);
    expect(sign(null, hex(message), key).toString('hex')).toBe(signature);
  });

  const { tests } = fixture<{
    tests: { tcId: number; pk: string; msg: string; sig: string; result: string }[];
  }>('ed25519.json');

  it.each(tests)('Wycheproof $tcId ($result)', ({ pk, msg, sig, result }) => {
    const key = createPublicKey({ key: hex(pk), format: 'raw-public', asymmetricKeyType: 'ed25519' });
    expect(verify(null, hex(msg), key, hex(sig))).toBe(result === 'valid');
  });
});

describe('X25519', () => {
  const { tests } = fixture<{
    tests: { tcId: number; public: string; private: string; shared: string; zero: boolean }[];
  }>('x25519.json');

  it.each(tests)('Wycheproof $tcId', (test) => {
    const agree = () =>
      diffieHellman({
        privateKey: createPrivateKey({
          key: hex(test.private),
          format: 'raw-private',
          asymmetricKeyType: 'x25519',
        }),
        publicKey: createPublicKey({
          key: hex(test.public),
          format: 'raw-public',
          asymmetricKeyType: 'x25519',
        }),
      }).toString('hex');
    if (test.zero) expect(agree).toThrow();
    else expect(agree()).toBe(test.shared);
  });
});
