import { type FileHandle, open } from 'node:fs/promises';
import { encodeLedgerGroup, type LedgerGroup } from '@holdfast/formats';
import { BufferedFile } from '../buffered-file.ts';

const BUFFER_BYTES = 1024 * 1024;

/** Where one object's groups stand in a ledger, in bytes. */
export interface LedgerSpan {
  readonly start: number;
  readonly end: number;
}

/** Writes the row ledger of the snapshot that is being made: groups in the order of the objects and of their rows. */
export class RowLedgerWriter {
  readonly #file: BufferedFile;
  #position = 0;
  #start = 0;

  private constructor(file: BufferedFile) {
    this.#file = file;
  }

  static async create(path: string): Promise<RowLedgerWriter> {
    return new RowLedgerWriter(await BufferedFile.create(path, { bufferBytes: BUFFER_BYTES }));
  }

  /** One object at a time. */
  begin(): void {
    this.#start = this.#position;
  }

  add(group: LedgerGroup): Promise<void> {
    return this.#append(encodeLedgerGroup(group));
  }

  /** An object's groups as they stand in an older ledger. */
  async copy(from: RowLedger, { start, end }: LedgerSpan): Promise<void> {
    for (let at = start; at < end; ) {
      const bytes = await from.read(at, Math.min(BUFFER_BYTES, end - at));
      // A ledger that is shorter than it should be compares with nothing later on; that is all.
      if (bytes.length === 0) return;
      // What was read is good until the next read, and may be written later than that.
      await this.#append(Buffer.from(bytes));
      at += bytes.length;
    }
  }

  end(): LedgerSpan {
    return { start: this.#start, end: this.#position };
  }

  /** No fsync: each group has a checksum, and one that is wrong costs reading, nothing else. */
  finish(): Promise<void> {
    return this.#file.end();
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#file.close();
  }

  #append(bytes: Uint8Array): Promise<void> {
    this.#position += bytes.length;
    return this.#file.append(bytes);
  }
}

/** The row ledger of an earlier snapshot. */
export class RowLedger {
  readonly #file: FileHandle | null;
  #buffer = Buffer.alloc(0);
  /** What of it was read, and from where. */
  #window: Buffer = this.#buffer;
  #windowAt = 0;

  private constructor(file: FileHandle | null) {
    this.#file = file;
  }

  /** Without a file there is nothing to compare with. */
  static async open(path: string): Promise<RowLedger> {
    try {
      return new RowLedger(await open(path, 'r'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new RowLedger(null);
      throw error;
    }
  }

  /** Good until the next call. Fewer bytes only at the end of the file. */
  async read(at: number, length: number): Promise<Buffer> {
    const held = at - this.#windowAt;
    if (held < 0 || held + length > this.#window.length) await this.#load(at, Math.max(length, BUFFER_BYTES));
    return this.#window.subarray(at - this.#windowAt, at - this.#windowAt + length);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#file?.close().catch(() => {});
  }

  async #load(at: number, length: number): Promise<void> {
    if (this.#buffer.length < length) this.#buffer = Buffer.allocUnsafeSlow(length);
    this.#window = this.#buffer.subarray(0, 0);
    const read = this.#file ? await this.#file.read(this.#buffer, 0, length, at) : { bytesRead: 0 };
    this.#window = this.#buffer.subarray(0, read.bytesRead);
    this.#windowAt = at;
  }
}
