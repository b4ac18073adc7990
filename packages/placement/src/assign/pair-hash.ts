import { createHash } from 'node:crypto';
import type { PartitionId } from '@holdfast/contracts';
import { KeyedHash } from './keyed-hash.ts';

/** Two 32-bit words that stand for an id under a salt; without the salt they look random. */
export type Token = readonly [number, number];

/**
 * Ids become tokens by a keyed hash, so that nobody can choose an identity that attracts certain partitions; a token each of
 * partition and peer then give a number by a few multiplications, a million pairs in some milliseconds. Predicting that
 * number takes the tokens, which nobody but the owner has.
 */
export class Tokens {
  readonly #peers: KeyedHash;
  readonly #partitions: KeyedHash;

  /** @param salt any number of bytes; different salts give unrelated tokens */
  constructor(salt: Uint8Array) {
    const digest = createHash('sha256').update('holdfast placement salt 2').update(salt).digest();
    this.#peers = new KeyedHash(digest.subarray(0, 8), '');
    this.#partitions = new KeyedHash(digest.subarray(8, 16), '');
  }

  peer(id: string): Token {
    return this.#peers.words(id);
  }

  partition(id: PartitionId): Token {
    return this.#partitions.words(id);
  }
}

/**
 * 32 bits that look random for each pair of tokens. The multipliers and shifts are those that Wellons's search for
 * low-bias integer hashes found ("Prospecting for Hash Functions", 2018: lowbias32); the second words enter in its middle.
 */
export function pairHash(peerLow: number, peerHigh: number, low: number, high: number): number {
  let h = peerLow ^ low;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul((h + (peerHigh ^ high)) | 0, 0x846ca68b);
  h ^= h >>> 16;
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
