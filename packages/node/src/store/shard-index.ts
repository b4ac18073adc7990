import { join } from 'node:path';
import type { ShardId } from '@holdfast/contracts';
import { isAbsent } from './disk-errors.ts';
import { bucketOf, parseShardFileName, type ShardFile } from './shard-file-name.ts';
import type { StoreFiles } from './store-files.ts';

type Bucket = Map<ShardId, ShardFile>;

/** Buckets kept in memory; a thousand are a quarter of a store of any size. */
const MAX_BUCKETS = 1_024;

/**
 * Which shards there are, read from the directories as needed and kept for the buckets used last. Who changes a
 * directory says so afterwards: a bucket that was read too early is corrected, one not in memory needs nothing.
 */
export class ShardIndex {
  readonly #files: StoreFiles;
  readonly #directory: string;
  /** In order of last use. */
  readonly #buckets = new Map<string, Promise<Bucket>>();

  constructor(files: StoreFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  async find(id: ShardId): Promise<ShardFile | undefined> {
    return (await this.#bucket(bucketOf(id))).get(id);
  }

  /** The shards of a bucket in ascending order of id. */
  async inBucket(name: string): Promise<ShardFile[]> {
    return [...(await this.#bucket(name)).values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async added(file: ShardFile): Promise<void> {
    (await this.#inMemory(file.id))?.set(file.id, file);
  }

  async removed(id: ShardId): Promise<void> {
    (await this.#inMemory(id))?.delete(id);
  }

  /** A bucket that could not be read is as good as one that was not. */
  async #inMemory(id: ShardId): Promise<Bucket | undefined> {
    return this.#buckets.get(bucketOf(id))?.catch(() => undefined);
  }

  #bucket(name: string): Promise<Bucket> {
    const bucket = this.#buckets.get(name) ?? this.#load(name);
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > MAX_BUCKETS) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest!);
    }
    return bucket;
  }

  async #load(name: string): Promise<Bucket> {
    try {
      const bucket: Bucket = new Map();
      for (const entry of await this.#files.list(join(this.#directory, name))) {
        const file = parseShardFileName(entry);
        if (file !== null && bucketOf(file.id) === name) bucket.set(file.id, file);
      }
      return bucket;
    } catch (error) {
      if (isAbsent(error)) return new Map();
      this.#buckets.delete(name);
      throw error;
    }
  }
}
