import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Blake3Stream, payloadCapacity } from '../src/index.ts';

/** What someone does who has all keys of the vault but not enough shards, written from docs/specs/sealing.md. */

export const SIZE_CLASS = 65_536;
export const SHARE = SIZE_CLASS - 16;
export const BLOCK = 16;
const KEY_BYTES = 32;

/** Highly regular, so that anything that leaks would be recognised: numbered blocks, no two the same. */
export function plainPayload(k: number): Buffer {
  const payload = Buffer.alloc(payloadCapacity(k, SIZE_CLASS));
  for (let at = 0; at + BLOCK <= payload.length; at += BLOCK)
    payload.write(`row ${String(at / BLOCK).padStart(11)}\n`, at);
  return payload;
}

/** The part of the package in a sealed shard, believed without looking at its tag: a guessed shard has none. */
export function unsealed(shard: Uint8Array, key: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.alloc(12));
  return decipher.update(shard.subarray(0, SHARE));
}

/** What the legitimate reader would do with a whole package. */
export function decode(pack: Buffer): { key: Buffer; payload: Buffer } {
  const body = pack.subarray(0, -KEY_BYTES);
  const mask = new Blake3Stream({ context: 'holdfast/aont-package-hash/v1' }).update(body).digest();
  const trailer = pack.subarray(-KEY_BYTES);
  const key = Buffer.from(mask.map((byte, i) => byte ^ trailer[i]!));
  return { key, payload: createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(body) };
}

/** Blocks that are the same in the same place. */
export function sameBlocks(a: Uint8Array, b: Uint8Array): number {
  let same = 0;
  for (let at = 0; at + BLOCK <= Math.min(a.length, b.length); at += BLOCK) {
    let i = 0;
    while (i < BLOCK && a[at + i] === b[at + i]) i++;
    if (i === BLOCK) same++;
  }
  return same;
}

/**
 * Whether any 32 bytes in a row of what is known are the package's key: each is tried on one block of the body whose
 * content is known too.
 *
 * @param block which block of the body `cipher` is, counted from 0.
 */
export function keyAmong(known: Uint8Array, block: number, cipher: Uint8Array, plain: Uint8Array): boolean {
  const counter = Buffer.alloc(BLOCK);
  counter.writeUInt32BE(block, BLOCK - 4);
  const stream = Buffer.from(cipher.map((byte, i) => byte ^ plain[i]!));
  for (let at = 0; at + KEY_BYTES <= known.length; at++) {
    const aes = createCipheriv('aes-256-ecb', known.subarray(at, at + KEY_BYTES), null);
    if (aes.update(counter).equals(stream)) return true;
  }
  return false;
}
