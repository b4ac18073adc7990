import { join } from 'node:path';
import {
  HoldfastError,
  type OwnerId,
  type PutShard,
  type ShardId,
  type ShardStore,
  type StoredShard,
  type StoreUsage,
  throwIfAborted,
} from '@holdfast/contracts';
import { blake3Hex } from '@holdfast/crypto';
import { lockDirectory } from './directory-lock.ts';
import { diskError, isAbsent } from './disk-errors.ts';
import { type Head, HeadFiles } from './head-files.ts';
import { inOrder } from './in-order.ts';
import { Incoming } from './incoming.ts';
import { KeyedLock } from './keyed-lock.ts';
import { Quota, type QuotaLimits } from './quota.ts';
import { absent, requireLease, requirePuttable, requireRange, rotten } from './shard-checks.ts';
import { bucketOf, isBucket, parseShardFileName, type ShardFile, shardFileName } from './shard-file-name.ts';
import { ShardIndex } from './shard-index.ts';
import { type StoreFiles, systemFiles } from './store-files.ts';

export interface DiskShardStoreOptions extends QuotaLimits {
  /** Made when absent; belongs to this store alone. */
  readonly directory: string;
  readonly files?: StoreFiles;
}

/**
 * Shards as files: `shards/BUCKET/ID.HASH.OWNER.BYTES` of exactly the shard's bytes, with the lease as modification
 * time. How one gets there whole or not at all: incoming.ts.
 */
export class DiskShardStore implements ShardStore {
  readonly #files: StoreFiles;
  readonly #incoming: Incoming;
  readonly #shards: string;
  readonly #index: ShardIndex;
  readonly #quota: Quota;
  readonly #heads: HeadFiles;
  readonly #locks = new KeyedLock<ShardId>();
  readonly #lock: { release: () => void };
  #closed: Promise<void> | undefined;

  private constructor(options: DiskShardStoreOptions, files: StoreFiles, lock: { release: () => void }) {
    this.#files = files;
    this.#lock = lock;
    this.#shards = join(options.directory, 'shards');
    this.#index = new ShardIndex(files, this.#shards);
    const { capacityBytes, ownerQuotaBytes } = options;
    this.#quota = new Quota({ capacityBytes, ownerQuotaBytes });
    this.#heads = new HeadFiles(files, join(options.directory, 'heads'));
    this.#incoming = new Incoming(files, join(options.directory, 'incoming'));
  }

  /** BUSY when another process has it; PEER_FAILED, PEER_DISK_FULL. Reads all names once to count what is used. */
  static async open(options: DiskShardStoreOptions): Promise<DiskShardStore> {
    const files = options.files ?? systemFiles;
    const { directory } = options;
    try {
      for (const part of ['incoming', 'shards', 'heads']) await files.makeDirectory(join(directory, part));
      await files.syncDirectory(directory);
    } catch (error) {
      throw diskError(error, `opening ${directory}`);
    }
    const lock = lockDirectory(directory);
    try {
      const store = new DiskShardStore(options, files, lock);
      await store.#incoming.recover(store.#shards);
      await store.#heads.open();
      await store.#countUsage();
      return store;
    } catch (error) {
      lock.release();
      throw diskError(error, `opening ${directory}`);
    }
  }

  async put(
    owner: OwnerId,
    shard: PutShard,
    options: { signal?: AbortSignal } = {},
  ): Promise<'stored' | 'present'> {
    this.#begin(options.signal);
    requirePuttable(shard);
    return this.#locks.run(shard.id, async () => {
      throwIfAborted(options.signal);
      const held = await this.#owned(owner, shard.id);
      if (held === undefined) return this.#store(owner, shard);
      if (held.hash !== shard.hash) {
        throw new HoldfastError('PEER_SHARD_CONFLICT', `Other bytes are held as shard ${shard.id}.`);
      }
      return (await this.#prolong(held, shard.leaseUntil)) ? 'present' : this.#store(owner, shard);
    });
  }

  async get(
    owner: OwnerId,
    id: ShardId,
    options: { offset?: number; length?: number; into?: Uint8Array; signal?: AbortSignal } = {},
  ): Promise<Uint8Array> {
    this.#begin(options.signal);
    const file = await this.#owned(owner, id);
    if (file === undefined) throw absent(id);
    const { offset, length } = requireRange(file, options);
    const into = options.into ?? new Uint8Array(length);
    if (into.length < length) {
      throw new HoldfastError('FORMAT_INVALID', `${length} bytes do not fit into ${into.length}.`);
    }
    const read = await this.#read(file, into, offset, length);
    const whole = length === file.bytes;
    if (read < length || (whole && blake3Hex(into.subarray(0, length)) !== file.hash)) throw rotten(id);
    return into.subarray(0, length);
  }

  async has(owner: OwnerId, ids: readonly ShardId[]): Promise<(StoredShard | null)[]> {
    this.#begin();
    return inOrder(ids, async (id) => {
      const file = await this.#index.find(id);
      return file?.owner === owner ? this.#describe(file) : null;
    });
  }

  async delete(owner: OwnerId, id: ShardId): Promise<boolean> {
    this.#begin();
    return this.#locks.run(id, async () => {
      const file = await this.#owned(owner, id);
      if (file === undefined) return false;
      await this.#files.remove(this.#pathOf(file)).catch((error) => {
        throw diskError(error, `deleting shard ${id}`);
      });
      await this.#forget(file);
      return true;
    });
  }

  async lease(owner: OwnerId, ids: readonly ShardId[], until: number): Promise<boolean[]> {
    this.#begin();
    requireLease(until);
    return inOrder(ids, (id) =>
      this.#locks.run(id, async () => {
        const file = await this.#index.find(id);
        return file?.owner === owner && (await this.#prolong(file, until));
      }),
    );
  }

  async list(owner: OwnerId, options: { after?: ShardId; limit: number }): Promise<StoredShard[]> {
    this.#begin();
    const { after, limit } = options;
    const found: StoredShard[] = [];
    const buckets = await this.#buckets();
    for (const bucket of buckets) {
      if (found.length >= limit) break;
      if (after !== undefined && bucket < bucketOf(after)) continue;
      const files = (await this.#index.inBucket(bucket)).filter(
        (file) => file.owner === owner && (after === undefined || file.id > after),
      );
      const described = await inOrder(files.slice(0, limit - found.length), (file) => this.#describe(file));
      found.push(...described.filter((shard) => shard !== null));
    }
    return found;
  }

  async usage(owner: OwnerId): Promise<StoreUsage> {
    this.#begin();
    return this.#quota.usage(owner);
  }

  async putHead(owner: OwnerId, head: Head): Promise<void> {
    this.#begin();
    await this.#heads.put(owner, head);
  }

  async getHead(owner: OwnerId): Promise<Head | null> {
    this.#begin();
    return this.#heads.get(owner);
  }

  /** Lets what was begun finish, then gives the directory free. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await Promise.all([this.#locks.idle(), this.#heads.idle()]);
      this.#lock.release();
    })();
    return this.#closed;
  }

  #begin(signal?: AbortSignal): void {
    throwIfAborted(signal);
    if (this.#closed !== undefined) throw new HoldfastError('PEER_FAILED', 'The shard store is closed.');
  }

  async #store(owner: OwnerId, shard: PutShard): Promise<'stored'> {
    const { id, hash, bytes, leaseUntil } = shard;
    const file: ShardFile = { id, hash, owner, bytes: bytes.length };
    this.#quota.reserve(owner, file.bytes);
    try {
      await this.#files.makeDirectory(join(this.#shards, bucketOf(id)));
      await this.#incoming.publish(shardFileName(file), { bytes, modified: leaseUntil }, this.#pathOf(file));
      this.#quota.add(owner, file.bytes);
      await this.#index.added(file);
      return 'stored';
    } catch (error) {
      throw diskError(error, `storing shard ${id}`);
    } finally {
      this.#quota.release(owner, file.bytes);
    }
  }

  async #read(file: ShardFile, into: Uint8Array, offset: number, length: number): Promise<number> {
    try {
      return await this.#files.read(this.#pathOf(file), into, offset, length);
    } catch (error) {
      if (isAbsent(error)) {
        await this.#noticeAbsence(file);
        throw absent(file.id);
      }
      // A sector that cannot be read any more is rot, and to be repaired like it.
      if ((error as NodeJS.ErrnoException).code === 'EIO') throw rotten(file.id, error);
      throw diskError(error, `reading shard ${file.id}`);
    }
  }

  /** Whether the shard is still there. Called under the shard's lock. */
  async #prolong(file: ShardFile, until: number): Promise<boolean> {
    const path = this.#pathOf(file);
    try {
      const { modified } = await this.#files.facts(path);
      if (modified < until) await this.#files.touch(path, until);
      return true;
    } catch (error) {
      if (!isAbsent(error)) throw diskError(error, `prolonging the lease of shard ${file.id}`);
      await this.#forget(file);
      return false;
    }
  }

  async #describe(file: ShardFile): Promise<StoredShard | null> {
    try {
      const { modified } = await this.#files.facts(this.#pathOf(file));
      return { ...file, leaseUntil: modified };
    } catch (error) {
      if (!isAbsent(error)) throw diskError(error, `looking at shard ${file.id}`);
      await this.#noticeAbsence(file);
      return null;
    }
  }

  /**
   * Somebody took the file away behind our back, or a delete was quicker: looked at again under the lock, so that it is
   * discounted once.
   */
  async #noticeAbsence({ id }: ShardFile): Promise<void> {
    await this.#locks.run(id, async () => {
      const file = await this.#index.find(id);
      const still = file && (await this.#files.facts(this.#pathOf(file)).catch(isAbsent));
      if (file !== undefined && still === true) await this.#forget(file);
    });
  }

  async #forget(file: ShardFile): Promise<void> {
    this.#quota.remove(file.owner, file.bytes);
    await this.#index.removed(file.id);
  }

  async #owned(owner: OwnerId, id: ShardId): Promise<ShardFile | undefined> {
    const file = await this.#index.find(id).catch((error) => {
      throw diskError(error, `looking for shard ${id}`);
    });
    if (file !== undefined && file.owner !== owner) {
      throw new HoldfastError('PEER_NOT_OWNER', `Shard ${id} belongs to another owner.`);
    }
    return file;
  }

  async #buckets(): Promise<string[]> {
    const names = await this.#files.list(this.#shards).catch((error) => {
      throw diskError(error, `reading ${this.#shards}`);
    });
    return names.filter(isBucket).sort();
  }

  #pathOf(file: ShardFile): string {
    return join(this.#shards, bucketOf(file.id), shardFileName(file));
  }

  async #countUsage(): Promise<void> {
    const buckets = await this.#buckets();
    await inOrder(buckets, async (bucket) => {
      for (const name of await this.#files.list(join(this.#shards, bucket))) {
        const file = parseShardFileName(name);
        if (file !== null && bucketOf(file.id) === bucket) this.#quota.add(file.owner, file.bytes);
      }
    });
  }
}
