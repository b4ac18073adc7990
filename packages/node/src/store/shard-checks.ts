import { HoldfastError, type PutShard, type ShardId, SIZE_CLASSES } from '@holdfast/contracts';
import { blake3Hex } from '@holdfast/crypto';
import type { ShardFile } from './shard-file-name.ts';

/** Year 2200: file times cannot carry any number, and a lease that cannot be kept must not be promised. */
const MAX_LEASE = 7_258_118_400_000;

export function requirePuttable(shard: PutShard): void {
  const { id, hash, bytes } = shard;
  if (!(SIZE_CLASSES as readonly number[]).includes(bytes.length)) {
    throw new HoldfastError(
      'FORMAT_INVALID',
      `Shard ${id} has ${bytes.length} bytes, which is no size class.`,
    );
  }
  requireLease(shard.leaseUntil);
  if (blake3Hex(bytes) !== hash) {
    throw new HoldfastError('HASH_MISMATCH', `Shard ${id} came with bytes that do not have its hash.`);
  }
}

export function requireLease(until: number): void {
  if (Number.isSafeInteger(until) && until >= 0 && until <= MAX_LEASE) return;
  throw new HoldfastError('FORMAT_INVALID', `A lease until ${until} cannot be kept.`);
}

export function requireRange(
  file: ShardFile,
  { offset = 0, length = file.bytes - offset }: { offset?: number; length?: number },
): { offset: number; length: number } {
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (valid && offset + length <= file.bytes) return { offset, length };
  throw new HoldfastError('FORMAT_INVALID', `The range ${offset}+${length} is outside of shard ${file.id}.`);
}

export const absent = (id: ShardId): HoldfastError =>
  new HoldfastError('PEER_NO_SHARD', `Shard ${id} is not here.`);

export const rotten = (id: ShardId, cause?: unknown): HoldfastError =>
  new HoldfastError('PEER_SHARD_CORRUPT', `Shard ${id} has rotted on this peer’s disk.`, { cause });
