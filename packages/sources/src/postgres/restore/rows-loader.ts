import { HoldfastError } from '@holdfast/contracts';
import { COPY_HEADER_BYTES } from './copy-in.ts';
import { type CopyLanes, type CopyTarget, messageBuffer } from './copy-lanes.ts';
import { copyTextOf } from './interim/copy-text.ts';
import { TupleSplitter } from './interim/tuple-splitter.ts';

/** Bytes of rows that go to a connection at a time. */
export const BATCH_BYTES = 1024 * 1024;
/** Beyond this, rows are sent from the caller's memory instead of a copy. */
const COPY_LIMIT = 8 * BATCH_BYTES;

/** Buffers that are used again and again; as many as there are at once, and no more. */
export class BatchBuffers {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? messageBuffer(BATCH_BYTES);
  }

  give(buffer: Buffer): void {
    this.#free.push(buffer);
  }
}

/** Takes one object's content in order, cut anywhere, and loads its rows in batches. */
export class RowsLoader {
  readonly #lanes: CopyLanes;
  readonly #buffers: BatchBuffers;
  readonly #target: CopyTarget;
  readonly #fields: number;
  readonly #splitter: TupleSplitter;
  #batch: Buffer | null = null;
  #used = COPY_HEADER_BYTES;
  #offset = 0;

  constructor(lanes: CopyLanes, buffers: BatchBuffers, target: CopyTarget, fields: number) {
    this.#lanes = lanes;
    this.#buffers = buffers;
    this.#target = target;
    this.#fields = fields;
    this.#splitter = new TupleSplitter({ fields });
  }

  /** `bytes` is borrowed until the promise settles. FORMAT_INVALID, DISK_FULL, TARGET_UNWRITABLE. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset !== this.#offset) throw this.#broken(`continues at ${offset} instead of ${this.#offset}`);
    this.#offset += bytes.length;
    for (const tuples of this.#split(bytes)) await this.#append(tuples);
  }

  /** `rows`: how many the server took, once it has; the caller need not wait. FORMAT_INVALID. */
  async complete(size: number): Promise<{ rows: Promise<number> }> {
    if (size !== this.#offset) throw this.#broken(`has ${this.#offset} bytes instead of ${size}`);
    this.#splitter.end();
    await this.#flush();
    return { rows: this.#lanes.end(this.#target) };
  }

  #split(bytes: Uint8Array): readonly Uint8Array[] {
    try {
      return this.#splitter.push(bytes);
    } catch (error) {
      throw HoldfastError.from(error, 'FORMAT_INVALID', `The rows of ${this.#target.name} are damaged`);
    }
  }

  async #append(tuples: Uint8Array): Promise<void> {
    const data = this.#target.binary ? tuples : copyTextOf(tuples, this.#fields);
    if (this.#used + data.length > COPY_HEADER_BYTES + BATCH_BYTES) await this.#flush();
    if (data.length > COPY_LIMIT) return this.#lanes.sendBorrowed(this.#target, data, COPY_LIMIT);
    if (data.length > BATCH_BYTES) return this.#sendAlone(data);
    this.#batch ??= this.#buffers.take();
    this.#batch.set(data, this.#used);
    this.#used += data.length;
  }

  async #sendAlone(data: Uint8Array): Promise<void> {
    const message = messageBuffer(data.length);
    message.set(data, COPY_HEADER_BYTES);
    await this.#lanes.send(this.#target, message, () => {});
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    if (batch === null) return;
    this.#batch = null;
    const message = batch.subarray(0, this.#used);
    this.#used = COPY_HEADER_BYTES;
    await this.#lanes.send(this.#target, message, () => this.#buffers.give(batch));
  }

  #broken(what: string): HoldfastError {
    return new HoldfastError('FORMAT_INVALID', `The content of ${this.#target.name} ${what}`);
  }
}
