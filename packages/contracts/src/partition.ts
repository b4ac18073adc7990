import type { Hash, PartitionId, PeerId } from './ids.ts';
import type { SizeClass } from './sizes.ts';

/** Why its chunks are together: which of the document's four partitionings drew its borders. */
export const PARTITION_KINDS = ['row', 'column', 'temporal', 'size'] as const;
export type PartitionKind = (typeof PARTITION_KINDS)[number];

export const DEPENDENCY_KINDS = ['sibling-columns', 'follows', 'part-of'] as const;
export interface PartitionDependency {
  readonly kind: (typeof DEPENDENCY_KINDS)[number];
  readonly partition: PartitionId;
}

export interface PlacedShard {
  /** BLAKE3-256 of the shard's bytes as stored. */
  readonly hash: Hash;
  readonly peer: PeerId;
}

/**
 * Everything needed, beside the owner's keys, to fetch and check one partition. Shard ids and keys derive from
 * `epoch`, `id` and the shard's index, so they are not written down.
 */
export interface Stripe {
  readonly id: PartitionId;
  /**
   * Counts up per owner and is never reused. Extents name partitions by it: short, and unlike a position in a list it
   * stays the same from snapshot to snapshot, which lets metadata deduplicate.
   */
  readonly number: number;
  readonly kind: PartitionKind;
  readonly epoch: number;
  readonly k: number;
  readonly m: number;
  /** 0: parity is plain Reed–Solomon's. Else a Clay code's, which rebuilds a shard from parts of so many others. */
  readonly helpers: number;
  readonly sizeClass: SizeClass;
  /** Bytes of the payload in use (the rest of the capacity is padding). */
  readonly size: number;
  /** Bytes of source that the payload's frames hold, before compression. */
  readonly rawSize: number;
  /** BLAKE3-256 of the payload's first `size` bytes. */
  readonly checksum: Hash;
  readonly dependencies: readonly PartitionDependency[];
  /** Index i is shard i; the first k are primary, the other m parity. Length k + m. */
  readonly shards: readonly PlacedShard[];
}
