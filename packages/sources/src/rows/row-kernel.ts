import { readFileSync } from 'node:fs';
import { HoldfastError } from '@holdfast/contracts';
import { type RowsSample, SAMPLE_BYTES } from '@holdfast/formats/rows';

export const ROW_FORMATS = ['copy-binary', 'copy-text', 'tuples'] as const;
/** What comes in: messages of a PostgreSQL backend during COPY, in either of its formats, or tuples back to back. */
export type RowFormat = (typeof ROW_FORMATS)[number];

/** A WebAssembly.Global, of which Node's types know nothing. */
interface Cell {
  readonly value: number;
}

/** Functions as in assembly/rows.ts. */
interface RowExports {
  readonly memory: WebAssembly.Memory;
  readonly failure: Cell;
  readonly head: Cell;
  readonly row: Cell;
  readonly other: Cell;
  open(format: number, fields: number, keyFields: number, capacity: number, betweenSamples: number): void;
  setLimit(address: number): void;
  feed(bytes: number): number;
  goOn(): void;
  inside(): number;
  unseen(): number;
  firstRow(): number;
  rowsFitting(room: number): number;
  fittingBytes(): number;
  dropRows(rows: number): void;
  piece(room: number): number;
  pieceIsLast(): number;
  dropPiece(bytes: number): void;
  sampleCount(): number;
  clearSamples(): void;
}

// As in assembly/layout.ts.
const KEYS = 0;
const MASKS = 10_496;
const SAMPLES = 32_768;
const SAMPLE_SLOT = 65_600;
export const BATCH_ROWS = 16_384;
const LENGTHS = 327_680;
const ROW_HASHES = 393_216;
const KEY_HASHES = 655_360;
const WINDOW = 917_504;
const WINDOW_BYTES = 65_536;
const TUPLES = 983_040;
const PAGE = 65_536;
const CAPACITY = 1024 * 1024;

const FAILURES = [
  '',
  'its binary format does not begin as it should',
  'its binary format has flags that Holdfast does not know',
  'a row has another number of fields than the table has columns',
  'a field has an impossible length',
  'a message has an impossible length',
  'more comes after the end',
];

let compiled: WebAssembly.Module | undefined;

function instantiate(): RowExports {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./rows.wasm', import.meta.url)));
  return new WebAssembly.Instance(compiled).exports as unknown as RowExports;
}

/** Views of the kernel's memory, good until it is called again. */
export interface RowBatch {
  readonly count: number;
  readonly tuples: Uint8Array;
  readonly lengths: Uint32Array;
  /** 16 bytes a row, before the last step of the hash. */
  readonly hashes: Uint8Array;
  readonly keys: Uint8Array;
}

/** One table's rows on their way through the kernel: in by `feed`, out by `batch` or `piece`, then the matching `drop…`. */
export class RowKernel {
  readonly #exports = instantiate();
  readonly #grows: boolean;
  #capacity = CAPACITY;
  /** Of all rows that were read so far. */
  readonly samples: RowsSample[] = [];

  constructor(format: RowFormat, fields: number, keyFields: number, universalKey: Uint8Array) {
    const memory = this.#memory();
    memory.set(universalKey, KEYS);
    memory.fill(0xff, MASKS, MASKS + 32);
    this.#grows = format === 'copy-text';
    this.#exports.open(ROW_FORMATS.indexOf(format), fields, keyFields, CAPACITY, SAMPLE_BYTES);
  }

  /** How many bytes it took: fewer than given when it is full, or before a message that is not CopyData. */
  feed(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length) {
      const window = bytes.subarray(taken, taken + WINDOW_BYTES);
      this.#memory().set(window, WINDOW);
      const run = this.#exports.feed(window.length);
      this.#settle();
      taken += run;
      if (run < window.length && (this.atOther || !this.#grown())) break;
    }
    return taken;
  }

  get atOther(): boolean {
    return this.#exports.other.value !== 0;
  }

  /** Whole rows of at most `room` bytes; null when there are none. */
  batch(room: number): RowBatch | null {
    const count = this.#exports.rowsFitting(room);
    if (count === 0) return null;
    const { buffer } = this.#exports.memory;
    const first = this.#exports.firstRow();
    const head = this.#exports.head.value;
    return {
      count,
      tuples: new Uint8Array(buffer, head, this.#exports.fittingBytes()),
      lengths: new Uint32Array(buffer, LENGTHS + 4 * first, count),
      hashes: new Uint8Array(buffer, ROW_HASHES + 16 * first, 16 * count),
      keys: new Uint8Array(buffer, KEY_HASHES + 16 * first, 16 * count),
    };
  }

  /** The batch that was looked at last has been taken. */
  dropBatch({ count }: RowBatch): void {
    this.#exports.dropRows(count);
    this.#goOn();
  }

  /** Of a row longer than MAX_ROW_BYTES, when nothing is before it; null when none is worth it yet. */
  piece(room: number): { readonly bytes: Uint8Array; readonly last: boolean } | null {
    const length = this.#exports.piece(room);
    if (length === 0) return null;
    const bytes = new Uint8Array(this.#exports.memory.buffer, this.#exports.row.value, length);
    return { bytes, last: this.#exports.pieceIsLast() !== 0 };
  }

  /** The piece that was looked at last has been taken. The whole row's hash if it was the last one. */
  dropPiece({ bytes, last }: { readonly bytes: Uint8Array; readonly last: boolean }): Uint8Array | null {
    this.#exports.dropPiece(bytes.length);
    const hash = last ? this.#memory().slice(ROW_HASHES, ROW_HASHES + 16) : null;
    this.#goOn();
    return hash;
  }

  /** Whether the end may come here; null while that cannot be told because rows have to be taken first. */
  atEnd(): boolean | null {
    return this.#exports.unseen() !== 0 ? null : this.#exports.inside() === 0;
  }

  #memory(): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer);
  }

  /** Looks at what had to wait until there was room. */
  #goOn(): void {
    this.#exports.goOn();
    this.#settle();
  }

  #settle(): void {
    const failure = FAILURES[this.#exports.failure.value];
    if (failure) {
      throw new HoldfastError(
        'SOURCE_UNREADABLE',
        `What the database sends cannot be understood: ${failure}.`,
      );
    }
    for (let i = 0; i < this.#exports.sampleCount(); i++) this.samples.push(this.#sample(i));
    this.#exports.clearSamples();
  }

  #sample(number: number): RowsSample {
    const at = SAMPLES + number * SAMPLE_SLOT;
    const facts = new DataView(this.#exports.memory.buffer, at, 20);
    const bytes = facts.getUint32(16, true);
    return {
      offset: facts.getFloat64(0, true),
      row: facts.getFloat64(8, true),
      key: this.#memory().slice(at + 20, at + 20 + bytes),
    };
  }

  /** A text field's length is known only at its end: while nothing can leave, such a field needs more room. */
  #grown(): boolean {
    if (!this.#grows || this.#exports.rowsFitting(CAPACITY) > 0 || this.#exports.piece(CAPACITY) > 0)
      return false;
    const pages = Math.ceil((TUPLES + 2 * this.#capacity + 64) / PAGE);
    this.#exports.memory.grow(pages - this.#exports.memory.buffer.byteLength / PAGE);
    this.#capacity *= 2;
    this.#exports.setLimit(TUPLES + this.#capacity);
    return true;
  }
}
