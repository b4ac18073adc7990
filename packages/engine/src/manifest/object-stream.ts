import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/contracts';
import {
  type EncodedObject,
  type Extent,
  ExtentCutter,
  encodeExtents,
  encodeObject,
} from '@holdfast/formats';

const BUFFER_BYTES = 256 * 1024;

/**
 * The snapshot's stream of objects and extents, gathered in a local file while the content is on its way, and read once
 * when all of it is durable: only then is it known that there will be a snapshot to describe.
 */
export class ObjectStream {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #written = createHash('sha256');
  #cutter = new ExtentCutter();
  #buffered: Uint8Array[] = [];
  #bufferedBytes = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<ObjectStream> {
    return new ObjectStream(path, await open(path, 'w', 0o600));
  }

  async object(object: EncodedObject): Promise<void> {
    this.#endExtents();
    await this.#append(encodeObject(object));
  }

  /** Of the object before; what is cut where is for the extents to say, not for how many come at once. */
  async extents(extents: readonly Extent[]): Promise<void> {
    for (const extent of extents) {
      const complete = this.#cutter.push(extent);
      if (complete) await this.#append(encodeExtents(complete));
    }
  }

  /** Everything, once, after the last object. HASH_MISMATCH when the file is not what was written. */
  async *read(): AsyncGenerator<Uint8Array> {
    this.#endExtents();
    await this.#flush();
    const found = createHash('sha256');
    for await (const bytes of createReadStream(this.#path, { highWaterMark: BUFFER_BYTES })) {
      found.update(bytes as Buffer);
      yield bytes as Buffer;
    }
    if (this.#written.digest().equals(found.digest())) return;
    throw new HoldfastError('HASH_MISMATCH', `${this.#path} does not hold what was written to it.`, {
      hint: 'Check the disk that the vault lies on, then run the backup again.',
    });
  }

  /** Idempotent; the file goes. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.#path, { force: true });
  }

  #endExtents(): void {
    const rest = this.#cutter.flush();
    this.#cutter = new ExtentCutter();
    if (rest) this.#buffer(encodeExtents(rest));
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#buffer(bytes);
    if (this.#bufferedBytes >= BUFFER_BYTES) await this.#flush();
  }

  #buffer(bytes: Uint8Array): void {
    this.#buffered.push(bytes);
    this.#bufferedBytes += bytes.length;
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#buffered);
    this.#buffered = [];
    this.#bufferedBytes = 0;
    this.#written.update(bytes);
    await this.#file.appendFile(bytes);
  }
}
