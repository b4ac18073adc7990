import {
  type Hash,
  HoldfastError,
  MAX_HEAD_BYTES,
  type OwnerId,
  type PutShard,
  type ShardId,
  type ShardStore,
  SIZE_CLASSES,
  type StoredShard,
  type StoreUsage,
  throwIfAborted,
} from '@holdfast/contracts';
import { blake3 } from '@napi-rs/blake-hash';

interface Entry {
  readonly owner: OwnerId;
  readonly hash: Hash;
  readonly bytes: Buffer;
  leaseUntil: number;
}

export interface MemoryShardStoreOptions {
  /** All owners together; unlimited by default. */
  readonly capacityBytes?: number;
  /** Per owner; the whole capacity by default. */
  readonly ownerQuotaBytes?: number;
}

const hashOf = (bytes: Uint8Array): Hash => blake3(bytes).toString('hex') as Hash;
const isSizeClass = (length: number): boolean => (SIZE_CLASSES as readonly number[]).includes(length);
const isTime = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** A ShardStore in memory with everything checked that the port promises, and levers to damage what it holds. */
export class MemoryShardStore implements ShardStore {
  readonly #capacityBytes: number;
  readonly #ownerQuotaBytes: number;
  readonly #shards = new Map<ShardId, Entry>();
  readonly #heads = new Map<OwnerId, { sequence: number; bytes: Uint8Array }>();

  constructor(options: MemoryShardStoreOptions = {}) {
    this.#capacityBytes = options.capacityBytes ?? Number.MAX_SAFE_INTEGER;
    this.#ownerQuotaBytes = options.ownerQuotaBytes ?? this.#capacityBytes;
  }

  /** Everything held, of all owners, for tests that check who holds what. */
  all(): StoredShard[] {
    return Array.from(this.#shards, ([id, entry]) => describe(id, entry));
  }

  /** Flips a bit of a held shard, leaving its recorded hash: bit rot. False when absent. */
  damage(id: ShardId, offset = 0): boolean {
    const entry = this.#shards.get(id);
    if (entry === undefined) return false;
    entry.bytes[offset] = entry.bytes[offset]! ^ 1;
    return true;
  }

  /** Loses a shard without a trace. */
  lose(id: ShardId): boolean {
    return this.#shards.delete(id);
  }

  /** Forgets a head: a peer that was restored from an old state. */
  rollBackHead(owner: OwnerId, head: { sequence: number; bytes: Uint8Array } | null): void {
    if (head === null) this.#heads.delete(owner);
    else this.#heads.set(owner, head);
  }

  async put(
    owner: OwnerId,
    shard: PutShard,
    options: { signal?: AbortSignal } = {},
  ): Promise<'stored' | 'present'> {
    throwIfAborted(options.signal);
    const { id, hash, leaseUntil } = shard;
    if (!isSizeClass(shard.bytes.length)) {
      throw new HoldfastError(
        'FORMAT_INVALID',
        `Shard ${id} has ${shard.bytes.length} bytes, not a size class.`,
      );
    }
    if (!isTime(leaseUntil)) throw new HoldfastError('FORMAT_INVALID', `Lease ${leaseUntil} is not a time.`);
    const bytes = Buffer.from(shard.bytes);
    if (hashOf(bytes) !== hash)
      throw new HoldfastError('HASH_MISMATCH', `Shard ${id} does not have the hash ${hash}.`);
    const held = this.#owned(owner, id);
    if (held !== undefined) {
      if (held.hash !== hash)
        throw new HoldfastError('PEER_SHARD_CONFLICT', `Shard ${id} is held with other bytes.`);
      held.leaseUntil = Math.max(held.leaseUntil, leaseUntil);
      return 'present';
    }
    // Nothing may be awaited between this check and the change, or puts at the same time would overshoot.
    const usage = this.#usage(owner);
    if (usage.ownerUsedBytes + bytes.length > usage.ownerQuotaBytes) {
      throw new HoldfastError('PEER_QUOTA', `No room left for owner ${owner}.`);
    }
    if (usage.usedBytes + bytes.length > usage.capacityBytes) {
      throw new HoldfastError('PEER_DISK_FULL', 'No room left in the store.');
    }
    this.#shards.set(id, { owner, hash, bytes, leaseUntil });
    return 'stored';
  }

  async get(
    owner: OwnerId,
    id: ShardId,
    options: { offset?: number; length?: number; into?: Uint8Array; signal?: AbortSignal } = {},
  ): Promise<Uint8Array> {
    throwIfAborted(options.signal);
    const entry = this.#owned(owner, id);
    if (entry === undefined) throw new HoldfastError('PEER_NO_SHARD', `Shard ${id} is not here.`);
    const { offset = 0, length = entry.bytes.length - offset } = options;
    if (!isTime(offset) || !isTime(length) || offset + length > entry.bytes.length) {
      throw new HoldfastError('FORMAT_INVALID', `Range ${offset}+${length} is outside of shard ${id}.`);
    }
    if (length === entry.bytes.length && hashOf(entry.bytes) !== entry.hash) {
      throw new HoldfastError('PEER_SHARD_CORRUPT', `Shard ${id} no longer has its hash.`);
    }
    const range = entry.bytes.subarray(offset, offset + length);
    if (options.into === undefined) return new Uint8Array(range);
    if (length > options.into.length) {
      throw new HoldfastError('FORMAT_INVALID', `${length} bytes do not fit into ${options.into.length}.`);
    }
    options.into.set(range);
    return options.into.subarray(0, length);
  }

  async has(owner: OwnerId, ids: readonly ShardId[]): Promise<(StoredShard | null)[]> {
    return ids.map((id) => {
      const entry = this.#shards.get(id);
      return entry?.owner === owner ? describe(id, entry) : null;
    });
  }

  async delete(owner: OwnerId, id: ShardId): Promise<boolean> {
    return this.#owned(owner, id) !== undefined && this.#shards.delete(id);
  }

  async lease(owner: OwnerId, ids: readonly ShardId[], until: number): Promise<boolean[]> {
    if (!isTime(until)) throw new HoldfastError('FORMAT_INVALID', `Lease ${until} is not a time.`);
    return ids.map((id) => {
      const entry = this.#shards.get(id);
      if (entry?.owner !== owner) return false;
      entry.leaseUntil = Math.max(entry.leaseUntil, until);
      return true;
    });
  }

  async list(owner: OwnerId, options: { after?: ShardId; limit: number }): Promise<StoredShard[]> {
    const { after } = options;
    return this.all()
      .filter((shard) => shard.owner === owner && (after === undefined || shard.id > after))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, options.limit);
  }

  async usage(owner: OwnerId): Promise<StoreUsage> {
    return this.#usage(owner);
  }

  async putHead(owner: OwnerId, head: { sequence: number; bytes: Uint8Array }): Promise<void> {
    if (head.bytes.length > MAX_HEAD_BYTES || !isTime(head.sequence)) {
      throw new HoldfastError(
        'FORMAT_INVALID',
        `A head of ${head.bytes.length} bytes, sequence ${head.sequence}.`,
      );
    }
    const kept = this.#heads.get(owner);
    const same = kept?.sequence === head.sequence && Buffer.compare(kept.bytes, head.bytes) === 0;
    if (kept !== undefined && head.sequence <= kept.sequence && !same) {
      throw new HoldfastError('PEER_HEAD_STALE', `Head ${kept.sequence} is kept; ${head.sequence} came.`);
    }
    this.#heads.set(owner, { sequence: head.sequence, bytes: new Uint8Array(head.bytes) });
  }

  async getHead(owner: OwnerId): Promise<{ sequence: number; bytes: Uint8Array } | null> {
    const kept = this.#heads.get(owner);
    return kept === undefined ? null : { sequence: kept.sequence, bytes: new Uint8Array(kept.bytes) };
  }

  async close(): Promise<void> {}

  #usage(owner: OwnerId): StoreUsage {
    const usage = { usedBytes: 0, ownerUsedBytes: 0, ownerShards: 0 };
    for (const entry of this.#shards.values()) {
      usage.usedBytes += entry.bytes.length;
      if (entry.owner !== owner) continue;
      usage.ownerUsedBytes += entry.bytes.length;
      usage.ownerShards += 1;
    }
    return { ...usage, capacityBytes: this.#capacityBytes, ownerQuotaBytes: this.#ownerQuotaBytes };
  }

  #owned(owner: OwnerId, id: ShardId): Entry | undefined {
    const entry = this.#shards.get(id);
    if (entry !== undefined && entry.owner !== owner) {
      throw new HoldfastError('PEER_NOT_OWNER', `Shard ${id} belongs to another owner.`);
    }
    return entry;
  }
}

const describe = (id: ShardId, entry: Entry): StoredShard => ({
  id,
  owner: entry.owner,
  hash: entry.hash,
  bytes: entry.bytes.length,
  leaseUntil: entry.leaseUntil,
});
