/** No row. */
export const UNMATCHED = -1;

/**
 * Finds rows of a group by their hashes. A hash table of its own, since a Map would need a string or an object for each of many
 * millions of rows.
 */
export class RowMatcher {
  #hashes: Uint32Array = new Uint32Array(0);
  #slots = new Int32Array(0);
  #mask = 0;
  #taken = new Uint8Array(0);

  /** @param hashes four words a row; borrowed until the next call. */
  index(hashes: Uint32Array): void {
    const rows = hashes.length / 4;
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, rows * 2)));
    if (this.#slots.length < size) this.#slots = new Int32Array(size);
    if (this.#taken.length < rows) this.#taken = new Uint8Array(rows);
    this.#slots.fill(UNMATCHED, 0, size);
    this.#taken.fill(0, 0, rows);
    this.#hashes = hashes;
    this.#mask = size - 1;
    // Equal rows lie one behind the other in the order of the table: the first is found first.
    for (let row = 0; row < rows; row++) this.#slots[this.#emptyFor(hashes[4 * row]!)] = row;
  }

  /** The first row of that hash that was not yet taken; it is taken now. UNMATCHED when there is none. */
  take(hashes: Uint32Array, at: number): number {
    const a = hashes[at]!;
    const own = this.#hashes;
    for (let slot = a & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const row = this.#slots[slot]!;
      if (row === UNMATCHED) return UNMATCHED;
      const base = 4 * row;
      if (
        this.#taken[row] === 0 &&
        own[base] === a &&
        own[base + 1] === hashes[at + 1] &&
        own[base + 2] === hashes[at + 2] &&
        own[base + 3] === hashes[at + 3]
      ) {
        this.#taken[row] = 1;
        return row;
      }
    }
  }

  #emptyFor(word: number): number {
    let slot = word & this.#mask;
    while (this.#slots[slot] !== UNMATCHED) slot = (slot + 1) & this.#mask;
    return slot;
  }
}
