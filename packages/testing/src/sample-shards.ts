import { createHash } from 'node:crypto';
import {
  type Hash,
  KiB,
  type OwnerId,
  type PutShard,
  peerIdFromKey,
  type ShardId,
} from '@holdfast/contracts';
import { blake3 } from '@napi-rs/blake-hash';

const digest = (label: string): Buffer => createHash('sha256').update(label).digest();

/** Ids that depend on `label` only. */
export const sampleShardId = (label: string | number): ShardId =>
  digest(`shard ${label}`).toString('hex') as ShardId;
export const samplePeerId = (label: string | number): OwnerId => peerIdFromKey(digest(`peer ${label}`));

export const hashOf = (bytes: Uint8Array): Hash => blake3(bytes).toString('hex') as Hash;

/** `length` bytes that look random and depend on `label` only. */
export function sampleBytes(label: string | number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const seed = digest(`bytes ${label}`);
  let state = seed.readUInt32LE(0) | 1;
  const words = new Uint32Array(bytes.buffer, 0, length >> 2);
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return bytes;
}

/** A shard whose id and content depend on `label` only. */
export function sampleShard(label: string | number, length: number = 64 * KiB, leaseUntil = 1_000): PutShard {
  const bytes = sampleBytes(label, length);
  return { id: sampleShardId(label), hash: hashOf(bytes), bytes, leaseUntil };
}
