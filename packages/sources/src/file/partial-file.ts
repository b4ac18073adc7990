import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { writeError } from './system-errors.ts';

/** Bytes written between two syncs beside the writing. */
const SYNC_EVERY = 32 * 2 ** 20;

export const PARTIAL_SUFFIX = '.holdfast-partial';

/**
 * A file in the making beside its final name, private to its user. A leftover of an earlier run is replaced: should that
 * run still be alive, it finds at its end that the name is no longer its file's, and fails instead of taking ours.
 */
export class PartialFile {
  readonly path: string;
  readonly #target: string;
  readonly #handle: FileHandle;
  #writing: Promise<void> = Promise.resolve();
  #unsynced = 0;
  #syncing: Promise<void> | null = null;
  #syncFailure: unknown = null;

  private constructor(target: string, handle: FileHandle) {
    this.#target = target;
    this.path = target + PARTIAL_SUFFIX;
    this.#handle = handle;
  }

  /** DISK_FULL, TARGET_UNWRITABLE. */
  static async create(target: string): Promise<PartialFile> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    try {
      await rm(target + PARTIAL_SUFFIX, { force: true });
      return new PartialFile(target, await open(target + PARTIAL_SUFFIX, flags, 0o600));
    } catch (error) {
      throw writeError(error, target);
    }
  }

  /**
   * `bytes` is borrowed until the promise settles. One write at a time reaches the system: it lets one into a file anyhow, and
   * the threads of the others would wait for that in a busy loop.
   */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const turn = this.#writing.then(() => this.#write(offset, bytes));
    this.#writing = turn.catch(() => {});
    await turn;
  }

  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#attempt(async () => {
      for (let done = 0; done < bytes.length; ) {
        done += (await this.#handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
      }
    });
    this.#unsynced += bytes.length;
    if (this.#unsynced >= SYNC_EVERY && this.#syncing === null) this.#syncMeanwhile();
  }

  /** Lets the disk work while more is written. `sync` reports its failure. */
  #syncMeanwhile(): void {
    this.#unsynced = 0;
    this.#syncing = this.#handle.datasync().then(
      () => {
        this.#syncing = null;
      },
      (error: unknown) => {
        this.#syncFailure ??= error;
        this.#syncing = null;
      },
    );
  }

  async read(offset: number, into: Uint8Array): Promise<number> {
    return (await this.#handle.read(into, 0, into.length, offset)).bytesRead;
  }

  /** What was never written below `size` reads as zeros, and takes no space where the file system can do that. */
  async truncate(size: number): Promise<void> {
    await this.#attempt(() => this.#handle.truncate(size));
  }

  /** Owner where the user may give files away, then permission bits. */
  async setOwnership(owner: { uid: number; gid: number } | null, mode: number | null): Promise<void> {
    await this.#attempt(async () => {
      if (owner !== null && process.getuid?.() === 0) await this.#handle.chown(owner.uid, owner.gid);
      if (mode !== null) await this.#handle.chmod(mode);
    });
  }

  async sync(): Promise<void> {
    await this.#attempt(async () => {
      await this.#syncing;
      // The system reports a page that could not be written once; a later sync would know nothing of it.
      if (this.#syncFailure !== null) throw this.#syncFailure;
      await this.#handle.sync();
    });
  }

  /** TARGET_UNWRITABLE when another run has taken the partial name over. */
  async assertOurs(): Promise<void> {
    const [ours, named] = await Promise.all([
      this.#handle.stat({ bigint: true }),
      lstat(this.path, { bigint: true }).catch(() => null),
    ]);
    if (named?.ino === ours.ino && named.dev === ours.dev) return;
    throw new HoldfastError('TARGET_UNWRITABLE', `Another restore to ${this.#target} has taken over`, {
      hint: 'Run one restore to a target at a time.',
    });
  }

  /** Gives it its final name, replacing what is there, and makes that durable. After `sync`. */
  async publish(): Promise<void> {
    await this.assertOurs();
    await this.#attempt(async () => {
      await rename(this.path, this.#target);
      await syncDirectory(dirname(this.#target));
    });
    await this.#handle.close();
  }

  /** Idempotent; not after `publish`. */
  async discard(): Promise<void> {
    const ours = await this.assertOurs().then(
      () => true,
      () => false,
    );
    await this.#syncing;
    await this.#handle.close().catch(() => undefined);
    if (ours) await rm(this.path, { force: true });
  }

  async #attempt(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw writeError(error, this.#target);
    }
  }
}

/** Makes names that were added, changed or removed in the directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
