import { createCipheriv } from 'node:crypto';
import { HoldfastError } from '@holdfast/contracts';

const KEY_BYTES = 32;
/** First counter block: ties the key stream to this one use and version. Exactly 16 bytes. */
const LABEL = Buffer.from('holdfast rows v1', 'ascii');

/** Of the universal hash: nine levels of 1 120 bytes, and four times eleven words of eight. */
export const UNIVERSAL_BYTES = 9 * 1120 + 4 * 11 * 8;
const CIPHER_BYTES = 32;

export interface RowKeyMaterial {
  readonly universal: Uint8Array;
  /** For AES-256. */
  readonly cipher: Uint8Array;
}

/** The AES-256-CTR key stream of `rowKey`, cut in two: docs/specs/rows.md, "Hash". USAGE when the key is not of 32 bytes. */
export function rowKeyMaterial(rowKey: Uint8Array): RowKeyMaterial {
  if (rowKey.length !== KEY_BYTES) {
    throw new HoldfastError('USAGE', `A row key has ${KEY_BYTES} bytes, not ${rowKey.length}.`);
  }
  const stream = createCipheriv('aes-256-ctr', rowKey, LABEL).update(
    new Uint8Array(UNIVERSAL_BYTES + CIPHER_BYTES),
  );
  return { universal: stream.subarray(0, UNIVERSAL_BYTES), cipher: stream.subarray(UNIVERSAL_BYTES) };
}
