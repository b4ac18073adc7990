import { HoldfastError } from '@holdfast/contracts';
import { copyTextOf } from '../../rows/copy-text.ts';
import { TupleEnds } from '../../rows/tuple-ends.ts';
import { TupleSplitter } from '../../rows/tuple-splitter.ts';
import { COPY_HEADER_BYTES } from './copy-in.ts';
import { type CopyLanes, type CopyTarget, type HeldLane, messageBuffer } from './copy-lanes.ts';

/** A message of this length is sent; when so much has gone to a connection, the next row may go to another. */
export const BATCH_BYTES = 1024 * 1024;

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

/**
 * Takes one object's content in order, cut anywhere, and loads its rows. Content is copied once, to buffers that are used again,
 * and no row has to be in one piece: a gigabyte of fresh buffers would have V8 look for garbage all the time.
 */
export class RowsLoader {
  readonly #lanes: CopyLanes;
  readonly #buffers: BatchBuffers;
  readonly #target: CopyTarget;
  readonly #fields: number;
  readonly #ends: TupleEnds;
  /** Of rows that go to the server as text: they are turned into lines whole. */
  readonly #splitter: TupleSplitter;
  #lane: HeldLane | null = null;
  /** Given to the lane, or about to be. */
  #laneBytes = 0;
  #batch: Buffer | null = null;
  #used = COPY_HEADER_BYTES;
  #offset = 0;

  constructor(lanes: CopyLanes, buffers: BatchBuffers, target: CopyTarget, fields: number) {
    this.#lanes = lanes;
    this.#buffers = buffers;
    this.#target = target;
    this.#fields = fields;
    this.#ends = new TupleEnds({ fields });
    this.#splitter = new TupleSplitter({ fields });
  }

  /** `bytes` is borrowed until the promise settles. FORMAT_INVALID, DISK_FULL, TARGET_UNWRITABLE. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset !== this.#offset) throw this.#broken(`continues at ${offset} instead of ${this.#offset}`);
    this.#offset += bytes.length;
    if (this.#target.binary) await this.#writeBinary(bytes);
    else for (const tuples of this.#checked(() => this.#splitter.push(bytes))) await this.#writeText(tuples);
  }

  /** `rows`: how many the server took, once it has; the caller need not wait. FORMAT_INVALID. */
  async complete(size: number): Promise<{ rows: Promise<number> }> {
    if (size !== this.#offset) throw this.#broken(`has ${this.#offset} bytes instead of ${size}`);
    this.#splitter.end();
    if (this.#ends.inside) throw this.#broken('ends inside a row');
    await this.#leaveLane();
    return { rows: this.#lanes.end(this.#target) };
  }

  async #writeBinary(bytes: Uint8Array): Promise<void> {
    const whole = this.#checked(() => this.#ends.last(bytes));
    await this.#append(bytes.subarray(0, whole));
    if (whole > 0) await this.#endOfRow();
    await this.#append(bytes.subarray(whole));
  }

  async #writeText(tuples: Uint8Array): Promise<void> {
    await this.#append(copyTextOf(tuples, this.#fields));
    await this.#endOfRow();
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      this.#batch ??= this.#buffers.take();
      const piece = bytes.subarray(at, at + this.#batch.length - this.#used);
      this.#batch.set(piece, this.#used);
      this.#used += piece.length;
      this.#laneBytes += piece.length;
      at += piece.length;
      if (this.#used === this.#batch.length) await this.#flush();
    }
  }

  /** Only here the server may get what follows through another connection. */
  async #endOfRow(): Promise<void> {
    if (this.#laneBytes >= BATCH_BYTES) await this.#leaveLane();
  }

  async #leaveLane(): Promise<void> {
    await this.#flush();
    this.#lane?.release();
    this.#lane = null;
    this.#laneBytes = 0;
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    if (batch === null) return;
    this.#batch = null;
    const message = batch.subarray(0, this.#used);
    this.#used = COPY_HEADER_BYTES;
    this.#lane ??= await this.#lanes.hold(this.#target);
    await this.#lane.send(message, () => this.#buffers.give(batch));
  }

  #checked<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw HoldfastError.from(error, 'FORMAT_INVALID', `The rows of ${this.#target.name} are damaged`);
    }
  }

  #broken(what: string): HoldfastError {
    return new HoldfastError('FORMAT_INVALID', `The content of ${this.#target.name} ${what}`);
  }
}
