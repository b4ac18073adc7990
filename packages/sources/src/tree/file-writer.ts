import { closeSync, constants, ftruncateSync, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { type ContentWriter, HoldfastError } from '@holdfast/contracts';
import { writeError } from '../file/system-errors.ts';
import { applyToDescriptor, type Metadata } from './metadata.ts';

const writeAsync = promisify(write);

/** Up to here a call is quicker than a trip to the thread pool. */
const SYNCHRONOUS_BYTES = 256 * 1024;
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Writes one file of a tree. What is skipped becomes a hole. */
export class FileWriter implements ContentWriter {
  readonly #location: Buffer;
  readonly #metadata: Metadata;
  readonly #onClose: (writer: FileWriter) => void;
  readonly #pending = new Set<Promise<unknown>>();
  readonly #descriptor: number;
  #open = true;
  #end = 0;

  /** Creates the file. DISK_FULL, TARGET_UNWRITABLE. */
  constructor(location: Buffer, metadata: Metadata, onClose: (writer: FileWriter) => void) {
    this.#location = location;
    this.#metadata = metadata;
    this.#onClose = onClose;
    try {
      this.#descriptor = openSync(location, FLAGS, 0o600);
    } catch (error) {
      throw writeError(error, location);
    }
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (!this.#open) throw new HoldfastError('CANCELLED', 'The file is closed');
    try {
      if (bytes.length <= SYNCHRONOUS_BYTES) this.#writeNow(offset, bytes);
      else await this.#writeLater(offset, bytes);
      this.#end = Math.max(this.#end, offset + bytes.length);
    } catch (error) {
      throw writeError(error, this.#location);
    }
  }

  #writeNow(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
    }
  }

  async #writeLater(offset: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const result = writeAsync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
      this.#pending.add(result);
      try {
        done += (await result).bytesWritten;
      } finally {
        this.#pending.delete(result);
      }
    }
  }

  async complete(size: number): Promise<void> {
    try {
      if (this.#end !== size) ftruncateSync(this.#descriptor, size);
      applyToDescriptor(this.#descriptor, this.#metadata);
      this.#close();
    } catch (error) {
      throw writeError(error, this.#location);
    }
  }

  /** Without completing; the file stays and is the caller's to remove. Idempotent. */
  async discard(): Promise<void> {
    await Promise.allSettled(this.#pending);
    this.#close();
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onClose(this);
    closeSync(this.#descriptor);
  }
}
