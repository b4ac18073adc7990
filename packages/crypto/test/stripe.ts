import { type Hash, HoldfastError, type PartitionId, type SizeClass } from '@holdfast/contracts';
import { openPayload, payloadCapacity, sealPayload, VaultKeys } from '../src/index.ts';

export const PARTITION = '6f2b1c9e-3d5a-4c77-9b10-2f8e5d4c3b2a' as PartitionId;
export const KEYS = VaultKeys.fromRoot(Buffer.from(Array.from({ length: 32 }, (_, i) => i)));
export const PACKAGE_KEY = Buffer.alloc(32, 0x42);

/** Bytes without short periods that any implementation can make: x ← 1 664 525 x + 1 013 904 223 mod 2^32, top byte. */
export function fill(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export interface Stripe {
  readonly payload: Uint8Array;
  readonly packageKey: Uint8Array;
  readonly shardKeys: Uint8Array[];
  readonly shards: Uint8Array[];
  readonly checksum: Hash;
}

interface SealOptions {
  readonly payload?: Uint8Array;
  readonly size?: number;
  readonly shards?: Uint8Array[];
  readonly packageKey?: Uint8Array;
}

export function sealStripe(k: number, sizeClass: SizeClass, options: SealOptions = {}): Stripe {
  const payload = options.payload ?? fill(payloadCapacity(k, sizeClass));
  const shards = options.shards ?? Array.from({ length: k }, () => new Uint8Array(sizeClass));
  const packageKey = options.packageKey ?? PACKAGE_KEY;
  const shardKeys = KEYS.partition(0, PARTITION).shardKeys(k);
  const { checksum } = sealPayload({
    payload,
    packageKey,
    shardKeys,
    shards,
    ...(options.size !== undefined && { size: options.size }),
  });
  return { payload, packageKey, shardKeys, shards, checksum };
}

interface OpenOptions {
  readonly payload?: Uint8Array;
  readonly keys?: VaultKeys;
  readonly epoch?: number;
  readonly partition?: PartitionId;
}

export function openStripe(shards: readonly Uint8Array[], options: OpenOptions = {}): Buffer {
  const { keys = KEYS, epoch = 0, partition = PARTITION } = options;
  const payload =
    options.payload ?? Buffer.alloc(payloadCapacity(shards.length, shards[0]!.length as SizeClass));
  openPayload({
    shards,
    shardKeys: keys.partition(epoch, partition).shardKeys(shards.length),
    payload,
    describe: PARTITION,
  });
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length);
}

/** The error that the call must fail with. */
export function codeOf(call: () => unknown): HoldfastError {
  try {
    call();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('The call did not fail.');
}
