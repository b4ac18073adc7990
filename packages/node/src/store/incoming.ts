import { join } from 'node:path';
import { SHARD_BYTES } from '@holdfast/contracts';
import { blake3Hex } from '@holdfast/crypto';
import { DirectorySync } from './directory-sync.ts';
import { bucketOf, parseShardFileName } from './shard-file-name.ts';
import type { StoreFiles } from './store-files.ts';

/**
 * Where shards become durable before they are published. A shard is written here under its final name, made durable
 * together with its directory entry, and then moved to its bucket. The move need not be durable: a crash leaves the
 * file whole in one of the two directories. Ids scatter over thousands of buckets, each of which would need a sync of
 * its own; this one directory is synced once for all shards that arrive together.
 */
export class Incoming {
  readonly #files: StoreFiles;
  readonly #directory: string;
  readonly #entries: DirectorySync;

  constructor(files: StoreFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
    this.#entries = new DirectorySync(files, directory);
  }

  /** Resolves when the file is durable and at `target`, whose directory exists. After a failure nothing is left. */
  async publish(
    name: string,
    content: { readonly bytes: Uint8Array; readonly modified: number },
    target: string,
  ): Promise<void> {
    const path = join(this.#directory, name);
    // Syncing the entry goes on beside the writing of the bytes: it only needs the entry to exist.
    let entry: Promise<void> = Promise.resolve();
    const created = (): void => {
      entry = this.#entries.sync();
      entry.catch(() => {});
    };
    try {
      await this.#files.create(path, content.bytes, content.modified, created);
      await entry;
      await this.#files.rename(path, target);
    } catch (error) {
      await this.#files.remove(path).catch(() => {});
      throw error;
    }
  }

  /**
   * What a crash left: files that are complete may have been acknowledged already and are moved to their buckets below
   * `shards`; the rest never was and is removed. Whole or not is told by size and hash in the name.
   */
  async recover(shards: string): Promise<void> {
    const space = new Uint8Array(SHARD_BYTES + 1);
    for (const name of await this.#files.list(this.#directory)) {
      const path = join(this.#directory, name);
      const file = parseShardFileName(name);
      const length = file === null ? 0 : await this.#files.read(path, space, 0, space.length);
      if (file === null || length !== file.bytes || blake3Hex(space.subarray(0, length)) !== file.hash) {
        await this.#files.remove(path);
        continue;
      }
      const bucket = join(shards, bucketOf(file.id));
      await this.#files.makeDirectory(bucket);
      await this.#files.rename(path, join(bucket, name));
    }
  }
}
