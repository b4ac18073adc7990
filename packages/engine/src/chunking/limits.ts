import { HoldfastError, KiB, MiB } from '@holdfast/contracts';

export interface ChunkLimits {
  /** No chunk but the last of a stream is shorter. At least 64 bytes; default 64 KiB. */
  readonly min?: number;
  /** Expected length of chunks of random content; default 256 KiB. */
  readonly average?: number;
  /** No chunk is longer; default 1 MiB. */
  readonly max?: number;
}

/** Bytes that the 64-bit hash at any place depends on: each older one has been shifted out. */
export const HASH_WINDOW = 64;

/** The longest chunk that may be configured; keeps every length far from where 32-bit arithmetic ends. */
const LARGEST = 1024 * MiB;

/** Borders are this much rarer than 1/average before the normal length, and that much more frequent after it. */
const NORMALISATION = 4n;

export interface ChunkRules {
  readonly min: number;
  readonly max: number;
  /** From this length on, borders are 16 times as likely as before. */
  readonly normal: number;
  /** A hash below it is a border, before and from the normal length. */
  readonly thresholdBefore: bigint;
  readonly thresholdAfter: bigint;
}

/** USAGE unless 64 ≤ min ≤ average / 2 and 2 × average ≤ max ≤ 1 GiB, all whole numbers. */
export function chunkRules({ min = 64 * KiB, average = 256 * KiB, max = MiB }: ChunkLimits): ChunkRules {
  const whole = [min, average, max].every(Number.isSafeInteger);
  if (!whole || min < HASH_WINDOW || 2 * min > average || 2 * average > max || max > LARGEST) {
    throw new HoldfastError(
      'USAGE',
      `Chunk lengths min ${min}, average ${average}, max ${max} do not go together.`,
      {
        hint: `Choose whole numbers with ${HASH_WINDOW} ≤ min ≤ average / 2 and 2 × average ≤ max ≤ ${LARGEST}.`,
        details: { min, average, max },
      },
    );
  }
  const hashes = 1n << 64n;
  return {
    min,
    max,
    normal: normalLength(min, average),
    thresholdBefore: hashes / (BigInt(average) * NORMALISATION),
    thresholdAfter: (hashes * NORMALISATION) / BigInt(average),
  };
}

/**
 * The expected length is the average asked for where 4(1 − u) + u/4 = 1 − min/average, u = exp(−(normal − min) / 4 average);
 * this straight line in min/average stays within 1 % of that and needs whole numbers only, so that borders are
 * the same on every machine.
 */
function normalLength(min: number, average: number): number {
  return Math.floor((57 * average - 16 * min) / 64);
}
