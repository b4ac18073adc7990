import { type BigIntStats, close, closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { type ContentReader, HoldfastError, type ReadResult, throwIfAborted } from '@holdfast/contracts';
import { readError } from '../file/system-errors.ts';
import type { TreeEntry } from './walk.ts';
import { dataLength, zeroLength } from './zero-runs.ts';

const readAsync = promisify(read);
const closeAsync = promisify(close);

/** Up to here a call is quicker than a trip to the thread pool (8 µs against 20), from the page cache at least. */
const SYNCHRONOUS_BYTES = 256 * 1024;

/**
 * Reads a file up to the length that it has when opened. A file that changes meanwhile is told to `onProblem`
 * once, and its content is what was read: its times have moved, so that the next snapshot reads it again. SOURCE_UNREADABLE
 * when it cannot be opened or read, or is no longer a file.
 */
export function openFile(entry: TreeEntry, onProblem: (message: string) => void): ContentReader {
  const { location } = entry;
  let descriptor: number;
  let stats: BigIntStats;
  try {
    // Not blocking, since a pipe may have taken the file's place.
    descriptor = openSync(location, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    stats = fstatSync(descriptor, { bigint: true });
  } catch (error) {
    throw readError(error, location);
  }
  if (stats.isFile()) return new FileReader(location, descriptor, stats, onProblem);
  closeSync(descriptor);
  throw new HoldfastError('SOURCE_UNREADABLE', `${location.toString()} is no longer a file`);
}

class FileReader implements ContentReader {
  readonly #location: Buffer;
  readonly #stats: BigIntStats;
  readonly #size: number;
  readonly #sparse: boolean;
  readonly #onProblem: (message: string) => void;
  #descriptor: number | null;
  #position = 0;
  #pending: Promise<unknown> | null = null;

  constructor(
    location: Buffer,
    descriptor: number,
    stats: BigIntStats,
    onProblem: (message: string) => void,
  ) {
    this.#location = location;
    this.#descriptor = descriptor;
    this.#stats = stats;
    this.#size = Number(stats.size);
    this.#sparse = stats.blocks * 512n < stats.size;
    this.#onProblem = onProblem;
  }

  async read(into: Uint8Array, { signal }: { signal?: AbortSignal } = {}): Promise<ReadResult> {
    throwIfAborted(signal);
    try {
      const result = this.#sparse ? await this.#readSparse(into, signal) : await this.#readData(into);
      if (result.kind === 'end') this.#checkUnchanged();
      return result;
    } catch (error) {
      throw readError(error, this.#location);
    }
  }

  async #readData(into: Uint8Array): Promise<ReadResult> {
    const length = await this.#fill(into, this.#position);
    this.#position += length;
    return length === 0 ? { kind: 'end' } : { kind: 'data', length };
  }

  /** Holes cannot be asked for without an addon, so runs of zero blocks are found by looking. */
  async #readSparse(into: Uint8Array, signal?: AbortSignal): Promise<ReadResult> {
    const start = this.#position;
    for (;;) {
      throwIfAborted(signal);
      const length = await this.#fill(into, this.#position);
      const found = into.subarray(0, length);
      const atEnd = this.#position + length >= this.#size;
      const zeros = zeroLength(found, atEnd);
      this.#position += zeros;
      if (length > 0 && zeros === length) continue;
      if (this.#position > start) return { kind: 'hole', length: this.#position - start };
      if (length === 0) return { kind: 'end' };
      const data = dataLength(found);
      this.#position += data;
      return { kind: 'data', length: data };
    }
  }

  async #fill(into: Uint8Array, position: number): Promise<number> {
    const descriptor = this.#descriptor;
    if (descriptor === null) throw new HoldfastError('CANCELLED', 'The reader is closed');
    const wanted = Math.min(into.length, this.#size - position);
    let done = 0;
    while (done < wanted) {
      const length = wanted - done;
      const got =
        this.#size <= SYNCHRONOUS_BYTES
          ? readSync(descriptor, into, done, length, position + done)
          : await this.#readLater(descriptor, into, done, length, position + done);
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  async #readLater(
    descriptor: number,
    into: Uint8Array,
    at: number,
    length: number,
    position: number,
  ): Promise<number> {
    const result = readAsync(descriptor, into, at, length, position);
    this.#pending = result;
    return (await result).bytesRead;
  }

  #checkUnchanged(): void {
    if (this.#descriptor === null) return;
    const { size, mtimeNs } = fstatSync(this.#descriptor, { bigint: true });
    if (size !== this.#stats.size || this.#position !== this.#size || mtimeNs !== this.#stats.mtimeNs) {
      this.#onProblem('it changed while it was read; kept what was read');
    }
  }

  async close(): Promise<void> {
    const descriptor = this.#descriptor;
    if (descriptor === null) return;
    this.#descriptor = null;
    if (this.#size <= SYNCHRONOUS_BYTES) {
      closeSync(descriptor);
      return;
    }
    await this.#pending?.catch(() => undefined);
    await closeAsync(descriptor);
  }
}
