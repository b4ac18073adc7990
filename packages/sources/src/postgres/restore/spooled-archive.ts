import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContentWriter } from '@holdfast/contracts';
import { writeError } from '../../file/system-errors.ts';

/** The schema's archive as a file that only this user reads: `pg_restore` needs one that it can seek in. */
export class SpooledArchive implements ContentWriter {
  readonly path: string;
  /** As `pg_dump --version` said. */
  readonly writtenBy: string;
  readonly #directory: string;
  readonly #handle: FileHandle;

  private constructor(directory: string, path: string, handle: FileHandle, writtenBy: string) {
    this.#directory = directory;
    this.path = path;
    this.#handle = handle;
    this.writtenBy = writtenBy;
  }

  /** DISK_FULL, TARGET_UNWRITABLE. */
  static async create(writtenBy: string): Promise<SpooledArchive> {
    try {
      const directory = await mkdtemp(join(tmpdir(), 'holdfast-schema-'));
      const path = join(directory, 'archive');
      return new SpooledArchive(directory, path, await open(path, 'wx', 0o600), writtenBy);
    } catch (error) {
      throw writeError(error, tmpdir());
    }
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; )
        done += (await this.#handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
    } catch (error) {
      throw writeError(error, this.path);
    }
  }

  async complete(size: number): Promise<void> {
    await this.#handle.truncate(size);
    await this.#handle.close();
  }

  /** Idempotent. */
  async remove(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.#directory, { recursive: true, force: true });
  }
}
