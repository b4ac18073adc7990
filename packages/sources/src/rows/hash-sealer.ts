import { type Cipheriv, createCipheriv } from 'node:crypto';

/**
 * The last step of the hash, many at a time: a universal hash says only that different rows differ. Under a cipher they look
 * random too, so that their sum, and borders chosen by them, do not depend on how values are arranged.
 */
export class HashSealer {
  readonly #cipher: Cipheriv;

  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  }

  /** Words of `into` become the encrypted 16-byte blocks of `hashes`. */
  seal(hashes: Uint8Array, into: Uint32Array): void {
    new Uint8Array(into.buffer, into.byteOffset).set(this.#cipher.update(hashes));
  }
}
