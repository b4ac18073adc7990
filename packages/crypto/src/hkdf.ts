import { createHmac, createSecretKey } from 'node:crypto';

const HASH_BYTES = 32;

/** RFC 5869 §2.2 with SHA-256: concentrates the input's entropy into 32 bytes. */
export function hkdfExtract(salt: Uint8Array, input: Uint8Array): Uint8Array {
  return createHmac('sha256', salt).update(input).digest();
}

/**
 * RFC 5869 §2.3 with SHA-256. A 32-byte output is a single HMAC, which is why the hierarchy below the root is made of
 * 32-byte keys and expands only: the root was extracted once, and what it gives is already uniform.
 *
 * @param length at most 8 160 bytes (255 hashes).
 */
export function hkdfExpand(key: Uint8Array, info: Uint8Array, length = HASH_BYTES): Uint8Array {
  if (length > 255 * HASH_BYTES) throw new RangeError(`HKDF-SHA256 cannot give ${length} bytes`);
  // Given raw bytes instead, createHmac takes five times as long.
  const handle = createSecretKey(key);
  const output = new Uint8Array(length);
  let block: Uint8Array = new Uint8Array(0);
  for (let counter = 1, at = 0; at < length; counter++, at += HASH_BYTES) {
    const next = createHmac('sha256', handle)
      .update(block)
      .update(info)
      .update(Uint8Array.of(counter))
      .digest();
    block.fill(0);
    block = next;
    output.set(block.subarray(0, Math.min(HASH_BYTES, length - at)), at);
  }
  block.fill(0);
  return output;
}
