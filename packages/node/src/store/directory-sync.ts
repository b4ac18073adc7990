import type { StoreFiles } from './store-files.ts';

/**
 * Makes entries of one directory durable, many at a time: whoever asks while a sync is under way shares the next one,
 * since the present one may have begun too early for it. At most one is under way and one ahead.
 */
export class DirectorySync {
  readonly #files: StoreFiles;
  readonly #path: string;
  #current: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(files: StoreFiles, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** Resolves when every entry that existed at the call is durable. */
  sync(): Promise<void> {
    this.#next ??= this.#afterCurrent();
    return this.#next;
  }

  async #afterCurrent(): Promise<void> {
    // One turn later, so that calls of the same moment share it; and a failed sync fails only those who shared it.
    await this.#current?.catch(() => {});
    this.#current = this.#files.syncDirectory(this.#path);
    this.#next = null;
    await this.#current;
  }
}
