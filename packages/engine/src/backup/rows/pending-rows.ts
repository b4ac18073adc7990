import type { RowsResult } from '@holdfast/contracts';

type Batch = Extract<RowsResult, { kind: 'rows' }>;

/** What is known of rows that were read and are not yet in a group. */
export class PendingRows {
  #lengths = new Uint32Array(8192);
  #hashes = new Uint32Array(4 * 8192);
  #keys = new Uint32Array(2 * 8192);
  count = 0;

  add({ count, lengths, hashes, keys }: Batch): void {
    this.#reserve(this.count + count);
    this.#lengths.set(lengths.subarray(0, count), this.count);
    this.#hashes.set(hashes.subarray(0, 4 * count), 4 * this.count);
    this.#keys.set(keys.subarray(0, 2 * count), 2 * this.count);
    this.count += count;
  }

  length(row: number): number {
    return this.#lengths[row]!;
  }

  key(row: number): readonly [number, number] {
    return [this.#keys[2 * row]!, this.#keys[2 * row + 1]!];
  }

  /** Views of the first `rows`, good until `drop`. */
  lengths(rows: number): Uint32Array {
    return this.#lengths.subarray(0, rows);
  }

  hashes(rows: number): Uint32Array {
    return this.#hashes.subarray(0, 4 * rows);
  }

  /** Forgets the first `rows`. */
  drop(rows: number): void {
    this.#lengths.copyWithin(0, rows, this.count);
    this.#hashes.copyWithin(0, 4 * rows, 4 * this.count);
    this.#keys.copyWithin(0, 2 * rows, 2 * this.count);
    this.count -= rows;
  }

  #reserve(rows: number): void {
    if (rows <= this.#lengths.length) return;
    const capacity = Math.max(rows, 2 * this.#lengths.length);
    this.#lengths = grown(this.#lengths, capacity);
    this.#hashes = grown(this.#hashes, 4 * capacity);
    this.#keys = grown(this.#keys, 2 * capacity);
  }
}

function grown(words: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(words);
  return larger;
}
