import { type Cipheriv, createCipheriv, createSecretKey } from 'node:crypto';
import { Blake3Stream, blake3, keyedBlake3 } from './blake3.ts';
import { DOMAINS, tagged, uint64 } from './domains.ts';

/** The masked key at the end of a package. */
export const TRAILER_BYTES = 32;

const ZERO_BLOCK = new Uint8Array(16);

/**
 * The key that a package is really encrypted with. Hashing the content in means that the same random `secret` used for
 * two different payloads gives two unrelated keys, instead of one key stream over both: a resumed backup whose
 * source changed in between loses nothing.
 */
export function packageKeyFor(secret: Uint8Array, checksum: Uint8Array, size: number): Uint8Array {
  return keyedBlake3(secret, tagged(DOMAINS.packageKey, uint64(size), checksum));
}

/** BLAKE3-256 of the part of the payload in use, as manifests carry it. */
export const payloadChecksum = (payload: Uint8Array, size: number): Uint8Array =>
  blake3(payload.subarray(0, size));

/**
 * AONT-RS (Resch & Plank, FAST '11), forwards: package = CTR_K(payload) ‖ (K ⊕ H(CTR_K(payload))). Each bit of the
 * package is needed to learn K, and K to learn any bit of the payload.
 */
export class PackageWriter {
  readonly #key: Uint8Array;
  readonly #cipher: Cipheriv;
  readonly #hash = new Blake3Stream({ context: DOMAINS.packageHash });

  /** @param key 32 bytes for this package only, borrowed until the trailer is taken. */
  constructor(key: Uint8Array) {
    this.#key = key;
    this.#cipher = keyStream(key);
  }

  /** The package's next bytes, as many as were given. */
  transform(payload: Uint8Array): Uint8Array {
    const bytes = this.#cipher.update(payload);
    this.#hash.update(bytes);
    return bytes;
  }

  trailer(): Uint8Array {
    return xor(this.#key, this.#hash.digest());
  }
}

/** Backwards, in two passes by nature: nothing can be deciphered before the last byte of the package was seen. */
export class PackageReader {
  readonly #hash = new Blake3Stream({ context: DOMAINS.packageHash });

  absorb(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** The package's key, once everything before the trailer was absorbed. */
  key(trailer: Uint8Array): Uint8Array {
    return xor(trailer, this.#hash.digest());
  }
}

/** The counter starts at zero each time: sound because a key encrypts one package only. */
export function keyStream(key: Uint8Array): Cipheriv {
  return createCipheriv('aes-256-ctr', createSecretKey(key), ZERO_BLOCK);
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: TRAILER_BYTES }, (_, i) => a[i]! ^ b[i]!);
}
