import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';

export interface FileFacts {
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

/** The few things that the store does with its file system; tests put faults in between. Errors are the system's. */
export interface StoreFiles {
  list(directory: string): Promise<string[]>;
  /** With its parents; fine when it is there. */
  makeDirectory(path: string): Promise<void>;
  /**
   * A new file, durable with its modification time when resolved, though its directory entry may not be. `created` is
   * called when the entry exists. EEXIST for a file that is there.
   */
  create(path: string, bytes: Uint8Array, modified: number, created?: () => void): Promise<void>;
  /** Fills the start of `into` from `offset` of the file; less than `length` where the file ends. */
  read(path: string, into: Uint8Array, offset: number, length: number): Promise<number>;
  facts(path: string): Promise<FileFacts>;
  /** Changes the modification time only; durable when resolved. */
  touch(path: string, modified: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Fine when there is nothing. */
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}

export const systemFiles: StoreFiles = {
  list: (directory) => readdir(directory),
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  async create(path, bytes, modified, created) {
    await using file = await open(path, 'wx', 0o600);
    created?.();
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
    // After the last write, which would set it to now; and `sync`, since `datasync` may leave times behind.
    await setModified(file, modified);
    await file.sync();
  },
  async read(path, into, offset, length) {
    await using file = await open(path, 'r');
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(into, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  },
  async facts(path) {
    const { size, mtimeMs } = await stat(path);
    return { bytes: size, modified: Math.round(mtimeMs) };
  },
  async touch(path, modified) {
    await using file = await open(path, 'r+');
    await setModified(file, modified);
    await file.sync();
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncDirectory(path) {
    await using directory = await open(path, 'r');
    await directory.sync();
  },
};

const setModified = (file: FileHandle, modified: number): Promise<void> =>
  file.utimes(modified / 1000, modified / 1000);
