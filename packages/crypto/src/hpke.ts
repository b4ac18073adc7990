import { uint16 } from './domains.ts';
import { GCM_NONCE_BYTES, type GcmKey } from './gcm.ts';
import { hkdfExpand, hkdfExtract } from './hkdf.ts';

const KEY_BYTES = 32;
const MODE_BASE = Uint8Array.of(0);
const NOTHING = new Uint8Array(0);

/** RFC 9180 §5.1: names KEM, KDF and AEAD by their registered numbers. */
export function suiteId(kem: number, kdf: number, aead: number): Uint8Array {
  return Buffer.concat([Buffer.from('HPKE', 'latin1'), uint16(kem), uint16(kdf), uint16(aead)]);
}

/**
 * RFC 9180 §5.1, base mode: key and nonce of a context's first message, for the caller to wipe. Right for suites with
 * HKDF-SHA256 and an AEAD of 32-byte keys and 12-byte nonces.
 *
 * @param sharedSecret what the KEM gave.
 * @param info what the application binds into the keys.
 */
export function baseKeySchedule(suite: Uint8Array, sharedSecret: Uint8Array, info: Uint8Array): GcmKey {
  const context = Buffer.concat([
    MODE_BASE,
    labelledExtract(suite, NOTHING, 'psk_id_hash', NOTHING),
    labelledExtract(suite, NOTHING, 'info_hash', info),
  ]);
  const secret = labelledExtract(suite, sharedSecret, 'secret', NOTHING);
  try {
    return {
      key: labelledExpand(suite, secret, 'key', context, KEY_BYTES),
      nonce: labelledExpand(suite, secret, 'base_nonce', context, GCM_NONCE_BYTES),
    };
  } finally {
    secret.fill(0);
  }
}

/** RFC 9180 §4. */
function labelledExtract(suite: Uint8Array, salt: Uint8Array, label: string, input: Uint8Array): Uint8Array {
  return hkdfExtract(salt, Buffer.concat([labelled(suite, label), input]));
}

/** RFC 9180 §4. */
function labelledExpand(
  suite: Uint8Array,
  key: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return hkdfExpand(key, Buffer.concat([uint16(length), labelled(suite, label), info]), length);
}

const labelled = (suite: Uint8Array, label: string): Uint8Array =>
  Buffer.concat([Buffer.from('HPKE-v1', 'latin1'), suite, Buffer.from(label, 'latin1')]);
