import { HoldfastError, MAX_STRIPE_SHARDS } from '@holdfast/contracts';

export interface StripeShape {
  /** Primary shards. */
  readonly k: number;
  /** Parity shards. */
  readonly m: number;
  /** Length of every shard: a multiple of 64, with a Clay code of 64 KiB. */
  readonly bytes: number;
  /** A Clay code's d; default 0, which is plain Reed–Solomon. */
  readonly helpers?: number;
}

/** The kernel works on 32 bytes at a time, caches on 64. */
export const SHARD_ALIGNMENT = 64;

export function refuse(message: string, details: Record<string, unknown>): never {
  throw new HoldfastError('CODE_PARAMETERS', message, { details });
}

export const isCount = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

export function checkShardBytes(bytes: number, most: number): void {
  if (!isCount(bytes, SHARD_ALIGNMENT, most) || bytes % SHARD_ALIGNMENT !== 0) {
    refuse(
      `Shards of ${bytes} bytes cannot be coded here: a multiple of ${SHARD_ALIGNMENT} up to ${most} is needed.`,
      {
        bytes,
        most,
      },
    );
  }
}

export function checkCount(k: number, m: number): void {
  if (!isCount(k, 1, MAX_STRIPE_SHARDS))
    refuse(`k is ${k}; a stripe has 1 to ${MAX_STRIPE_SHARDS} primary shards.`, { k });
  if (!isCount(m, 0, MAX_STRIPE_SHARDS - k)) {
    refuse(
      `m is ${m}; beside ${k} primary shards a stripe has 0 to ${MAX_STRIPE_SHARDS - k} parity shards.`,
      { k, m },
    );
  }
}

export function checkShape({ k, m, bytes }: StripeShape, slots: number, slotBytes: number): void {
  checkCount(k, m);
  if (k + m > slots)
    refuse(`A stripe of ${k} + ${m} shards does not fit an arena of ${slots}.`, { k, m, slots });
  checkShardBytes(bytes, slotBytes);
}

/** Distinct integers from 0 to below `shards`. */
export function checkIndices(name: string, indices: readonly number[], shards: number): void {
  const seen = new Set<number>();
  for (const index of indices) {
    if (!isCount(index, 0, shards - 1)) {
      refuse(`${name}: shard index ${index} is out of range; the stripe has shards 0 to ${shards - 1}.`, {
        index,
        shards,
      });
    }
    if (seen.has(index)) refuse(`${name}: shard index ${index} is given twice.`, { index });
    seen.add(index);
  }
}
