import { keyedBlake3Hex } from '@holdfast/crypto';

/**
 * Bytes of a block's hash in the local cache: keyed BLAKE3, truncated. 128 bits under a secret key: nobody who can
 * write into the database can look for two blocks that collide.
 */
export const BLOCK_HASH_BYTES = 16;

/** The blocks' hashes one after the other; nothing when `blockBytes` is 0. */
export function hashBlocks(key: Uint8Array, bytes: Uint8Array, blockBytes: number): Uint8Array {
  if (blockBytes === 0) return new Uint8Array(0);
  const blocks = Math.ceil(bytes.length / blockBytes);
  const hashes = Buffer.allocUnsafeSlow(blocks * BLOCK_HASH_BYTES);
  for (let block = 0; block < blocks; block++) {
    const hash = keyedBlake3Hex(key, bytes.subarray(block * blockBytes, (block + 1) * blockBytes));
    hashes.write(hash, block * BLOCK_HASH_BYTES, BLOCK_HASH_BYTES, 'hex');
  }
  return hashes;
}
