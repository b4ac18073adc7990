import { createCipheriv } from 'node:crypto';
import { HoldfastError } from '@holdfast/contracts';

const KEY_BYTES = 32;

/** First counter block: ties the key stream to this one use and version. Exactly 16 bytes. */
const LABEL = Buffer.from('holdfast gear v1', 'ascii');

/**
 * The 256 random 64-bit numbers, little-endian, that the hash adds up: the AES-256-CTR key stream of `key`. Whoever does
 * not know the key cannot predict where content will be cut.
 */
export function gearTable(key: Uint8Array): Uint8Array {
  if (key.length !== KEY_BYTES) {
    throw new HoldfastError('USAGE', `A chunking key has ${KEY_BYTES} bytes, not ${key.length}.`);
  }
  return createCipheriv('aes-256-ctr', key, LABEL).update(new Uint8Array(256 * 8));
}
