/** Sizes fixed by the formats, in bytes. Everything tunable is a setting, not a constant here. */

export const KiB = 1024;
export const MiB = 1024 * KiB;

/**
 * What a shard may occupy on disk and wire, header and tag included. All shards of a stripe share one class.
 * Only the last stripe of a stream may use a class below 1 MiB, so that small increments are not mostly padding.
 */
export const SIZE_CLASSES = [64 * KiB, 128 * KiB, 256 * KiB, 512 * KiB, MiB] as const;
export type SizeClass = (typeof SIZE_CLASSES)[number];

export const SHARD_BYTES: SizeClass = MiB;

/** An AES-256-GCM tag at the end of each primary shard. */
export const SEAL_OVERHEAD = 16;

/** Most shards a stripe may have: GF(2^8) has 255 usable evaluation points. */
export const MAX_STRIPE_SHARDS = 255;
