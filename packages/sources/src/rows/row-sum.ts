import { HoldfastError } from '@holdfast/contracts';
import { HashSealer } from './hash-sealer.ts';
import { HashTotal } from './hash-total.ts';
import { BATCH_ROWS, RowKernel } from './row-kernel.ts';
import { rowKeyMaterial } from './row-key.ts';

const ROOM = 1024 * 1024;

/** The checksum of rows, whatever their order: the same as an index of them would hold. */
export class RowSum {
  readonly #kernel: RowKernel;
  readonly #sealer: HashSealer;
  readonly #total = new HashTotal();
  readonly #hashes = new Uint32Array(4 * BATCH_ROWS);
  rows = 0;

  /** USAGE when the key is not of 32 bytes. */
  constructor({ fields, rowKey }: { fields: number; keyFields: number; rowKey: Uint8Array }) {
    const { universal, cipher } = rowKeyMaterial(rowKey);
    this.#kernel = new RowKernel('tuples', fields, 0, universal);
    this.#sealer = new HashSealer(cipher);
  }

  /** Tuples back to back, cut anywhere from call to call. SOURCE_UNREADABLE when they are none. */
  add(tuples: Uint8Array): void {
    for (let taken = 0; taken < tuples.length; ) {
      taken += this.#kernel.feed(tuples.subarray(taken));
      this.#drain();
    }
  }

  /** Of all rows so far, 16 bytes. FORMAT_INVALID inside a row. */
  checksum(): Uint8Array {
    if (this.#kernel.atEnd() !== true) {
      throw new HoldfastError('FORMAT_INVALID', 'Rows to be summed end inside a row.');
    }
    return this.#total.bytes();
  }

  #drain(): void {
    for (;;) {
      const batch = this.#kernel.batch(ROOM);
      if (batch) {
        this.#count(batch.hashes, batch.count);
        this.#kernel.dropBatch(batch);
        continue;
      }
      const piece = this.#kernel.piece(ROOM);
      if (!piece) return;
      const hash = this.#kernel.dropPiece(piece);
      if (hash) this.#count(hash, 1);
    }
  }

  #count(hashes: Uint8Array, rows: number): void {
    this.#sealer.seal(hashes, this.#hashes);
    this.#total.add(this.#hashes, rows);
    this.rows += rows;
  }
}
