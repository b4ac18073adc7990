import { HoldfastError } from '@holdfast/contracts';
import type { Extent } from '@holdfast/formats';

/** Goes through an object's extents once, from its beginning to its end, and gives those that make up ranges of bytes. */
export class ExtentCursor {
  readonly #extents: readonly Extent[];
  #next = 0;
  /** Of the next extent's first byte in the object. */
  #position = 0;
  #asked = 0;

  constructor(extents: readonly Extent[]) {
    this.#extents = extents;
  }

  /** Of bytes `from` to `to`. INTERNAL for a range that begins before the end of the one before. */
  slice(from: number, to: number): Extent[] {
    if (from < this.#asked)
      throw new HoldfastError('INTERNAL', `Extents at ${from} are asked for behind ${this.#asked}.`);
    this.#asked = to;
    const slices: Extent[] = [];
    while (this.#next < this.#extents.length) {
      const extent = this.#extents[this.#next]!;
      const end = this.#position + extent.length;
      if (end > from) {
        const start = Math.max(from, this.#position);
        const length = Math.min(to, end) - start;
        if (length > 0) slices.push(cut(extent, start - this.#position, length));
        if (end >= to) break;
      }
      this.#position = end;
      this.#next++;
    }
    return slices;
  }
}

const cut = (extent: Extent, offset: number, length: number): Extent =>
  extent.kind === 'hole' ? { kind: 'hole', length } : { ...extent, offset: extent.offset + offset, length };
