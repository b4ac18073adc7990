import type { Hash, OwnerId, ShardId } from './ids.ts';

export interface StoredShard {
  readonly id: ShardId;
  readonly owner: OwnerId;
  readonly hash: Hash;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly leaseUntil: number;
}

export interface StoreUsage {
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly ownerQuotaBytes: number;
  readonly ownerUsedBytes: number;
  readonly ownerShards: number;
}

export interface PutShard {
  readonly id: ShardId;
  readonly hash: Hash;
  readonly leaseUntil: number;
  /** Exactly one size class long. Borrowed: the caller leaves it alone until the promise settles, then may reuse it. */
  readonly bytes: Uint8Array;
}

/**
 * Where a peer keeps shards. Every operation may be repeated and may run beside any other; operations on one shard
 * id take effect in some order, never mixed. A signal that fires before an operation began makes it reject with
 * CANCELLED and change nothing; later it may take effect or not, but never by half.
 */
export interface ShardStore {
  /**
   * Resolves only when the shard would survive the loss of power. Repeating a put of the same bytes gives `present`
   * and prolongs the lease. Checks before it writes; refuses with HASH_MISMATCH, FORMAT_INVALID (not a size class),
   * PEER_QUOTA, PEER_DISK_FULL, PEER_NOT_OWNER (another owner has this id), PEER_SHARD_CONFLICT (other bytes).
   * After any refusal or crash nothing of the shard is visible.
   */
  put(owner: OwnerId, shard: PutShard, options?: { signal?: AbortSignal }): Promise<'stored' | 'present'>;
  /**
   * Reads `length` bytes from `offset` (default: all). The caller owns the result; with `into`, which is borrowed until
   * the promise settles, it is a view of its start. A whole read is checked against the stored hash:
   * PEER_SHARD_CORRUPT when it fails. PEER_NO_SHARD, PEER_NOT_OWNER; FORMAT_INVALID for a range outside of the shard,
   * or one that `into` cannot hold.
   */
  get(
    owner: OwnerId,
    id: ShardId,
    options?: { offset?: number; length?: number; into?: Uint8Array; signal?: AbortSignal },
  ): Promise<Uint8Array>;
  /** In the order asked; null for shards that are absent or another owner's. Does not read the bytes. */
  has(owner: OwnerId, ids: readonly ShardId[]): Promise<(StoredShard | null)[]>;
  /** Absent shards are fine; false for them. PEER_NOT_OWNER removes nothing. */
  delete(owner: OwnerId, id: ShardId): Promise<boolean>;
  /** Sets the lease of every one of the owner's shards named; never shortens one. In the order asked, false: absent. */
  lease(owner: OwnerId, ids: readonly ShardId[], until: number): Promise<boolean[]>;
  /** The owner's shards in ascending order of id, from after `after`, at most `limit`. */
  list(owner: OwnerId, options: { after?: ShardId; limit: number }): Promise<StoredShard[]>;
  usage(owner: OwnerId): Promise<StoreUsage>;
  /**
   * Keeps the owner's head, durable when resolved. PEER_HEAD_STALE unless `sequence` exceeds the kept one, or equals
   * it with the same bytes. At most 256 KiB: FORMAT_INVALID.
   */
  putHead(owner: OwnerId, head: { sequence: number; bytes: Uint8Array }): Promise<void>;
  getHead(owner: OwnerId): Promise<{ sequence: number; bytes: Uint8Array } | null>;
  close(): Promise<void>;
}

export const MAX_HEAD_BYTES = 256 * 1024;
