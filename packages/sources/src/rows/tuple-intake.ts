import { HoldfastError, MAX_ROW_BYTES, type RowsResult } from '@holdfast/contracts';
import type { RowsIndex } from '@holdfast/formats/rows';
import { HashSealer } from './hash-sealer.ts';
import { HashTotal } from './hash-total.ts';
import { BATCH_ROWS, type RowBatch, type RowFormat, RowKernel } from './row-kernel.ts';
import { rowKeyMaterial } from './row-key.ts';

export interface TupleIntakeOptions {
  /** `copy-…`: messages of a PostgreSQL backend; `tuples`: tuples back to back. */
  readonly format: RowFormat;
  /** Columns of a row. */
  readonly fields: number;
  /** How many leading ones are the key. Without a key the whole row stands for it. */
  readonly keyFields: number;
  /** 32 bytes. */
  readonly rowKey: Uint8Array;
}

type Taken = Exclude<RowsResult, { kind: 'end' }>;

/**
 * Turns a stream of bytes, cut anywhere, into tuples with their hashes, in batches. Holds 2 MiB, and more only for a field
 * of COPY's text format that is longer than 1 MiB: its length stands before it, so all of it has to be there.
 * What does not follow the format is SOURCE_UNREADABLE, in `push` and in `take`.
 */
export class TupleIntake {
  readonly #kernel: RowKernel;
  readonly #sealer: HashSealer;
  readonly #keyed: boolean;
  readonly #total = new HashTotal();
  readonly #lengths = new Uint32Array(BATCH_ROWS);
  readonly #hashes = new Uint32Array(4 * BATCH_ROWS);
  readonly #keyBlocks = new Uint32Array(4 * BATCH_ROWS);
  readonly #keys = new Uint32Array(2 * BATCH_ROWS);
  #rows = 0;
  #ended = false;

  /** USAGE when the numbers or the key make no sense. */
  constructor({ format, fields, keyFields, rowKey }: TupleIntakeOptions) {
    if (!(fields >= 0 && fields < 65_535 && keyFields >= 0 && keyFields <= fields)) {
      throw new HoldfastError('USAGE', `Rows cannot have ${fields} fields with ${keyFields} as their key.`);
    }
    const { universal, cipher } = rowKeyMaterial(rowKey);
    this.#kernel = new RowKernel(format, fields, keyFields, universal);
    this.#sealer = new HashSealer(cipher);
    this.#keyed = keyFields > 0;
  }

  /**
   * Says how many bytes it took: fewer than given when its memory is full (call `take` first), or when the next message is
   * not CopyData (`atOther` is then true, and the rest of `bytes` begins with that message).
   */
  push(bytes: Uint8Array): number {
    return this.#kernel.feed(bytes);
  }

  get atOther(): boolean {
    return this.#kernel.atOther;
  }

  /**
   * Moves whole rows, or a piece of a row longer than MAX_ROW_BYTES, to the start of `into`, which has room for at least
   * MAX_ROW_BYTES. Null when nothing is ready. Arrays of the result are good until the next call.
   */
  take(into: Uint8Array): Taken | null {
    if (into.length < MAX_ROW_BYTES) {
      throw new HoldfastError(
        'INTERNAL',
        `Rows need a buffer of ${MAX_ROW_BYTES} bytes, not ${into.length}.`,
      );
    }
    const batch = this.#kernel.batch(into.length);
    if (batch) return this.#rowsOf(batch, into);
    const taken = this.#pieceFor(into);
    if (!taken && this.#ended) this.#checkEnd();
    return taken;
  }

  /** No more will come. SOURCE_UNREADABLE, here or in a later `take`, inside a row or without the binary format's trailer. */
  end(): void {
    this.#ended = true;
    this.#checkEnd();
  }

  /** Of all rows that were taken. */
  index(): RowsIndex {
    const samples = this.#kernel.samples.filter(({ row }) => row < this.#rows);
    return { rows: this.#rows, checksum: this.#total.bytes(), samples };
  }

  #rowsOf(batch: RowBatch, into: Uint8Array): Taken {
    const { count, tuples } = batch;
    into.set(tuples);
    const lengths = this.#lengths.subarray(0, count);
    lengths.set(batch.lengths);
    const hashes = this.#hashes.subarray(0, 4 * count);
    this.#sealer.seal(batch.hashes, hashes);
    if (this.#keyed) this.#sealer.seal(batch.keys, this.#keyBlocks);
    const keys = firstHalves(this.#keyed ? this.#keyBlocks : hashes, count, this.#keys);
    const { length } = tuples;
    this.#count(hashes, count);
    this.#kernel.dropBatch(batch);
    return { kind: 'rows', length, count, lengths, hashes, keys };
  }

  #pieceFor(into: Uint8Array): Taken | null {
    const piece = this.#kernel.piece(into.length);
    if (!piece) return null;
    into.set(piece.bytes);
    const { last } = piece;
    const { length } = piece.bytes;
    const hash = this.#kernel.dropPiece(piece);
    if (hash) {
      this.#sealer.seal(hash, this.#hashes);
      this.#count(this.#hashes, 1);
    }
    return { kind: 'piece', length, last };
  }

  #count(hashes: Uint32Array, rows: number): void {
    this.#total.add(hashes, rows);
    this.#rows += rows;
  }

  #checkEnd(): void {
    if (this.#kernel.atEnd() !== false) return;
    throw new HoldfastError('SOURCE_UNREADABLE', 'What the database sends ends inside a row or a message.', {
      hint: 'The connection was probably lost. Try again.',
    });
  }
}

/** Of each four words the first two. */
function firstHalves(blocks: Uint32Array, count: number, into: Uint32Array): Uint32Array {
  for (let i = 0; i < count; i++) {
    into[2 * i] = blocks[4 * i]!;
    into[2 * i + 1] = blocks[4 * i + 1]!;
  }
  return into.subarray(0, 2 * count);
}
