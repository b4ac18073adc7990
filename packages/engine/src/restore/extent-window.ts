import { HoldfastError } from '@holdfast/contracts';
import type { Extent } from '@holdfast/formats';

/** Lets through those bytes of an object's extents that lie in a range of its content. */
export class ExtentWindow {
  readonly #from: number;
  readonly #to: number;
  #position = 0;

  constructor(from: number, to: number) {
    if (!(from >= 0 && from <= to)) throw new HoldfastError('USAGE', `There are no bytes ${from} to ${to}.`);
    this.#from = from;
    this.#to = to;
  }

  get length(): number {
    return this.#to - this.#from;
  }

  /** Once for each extent, in order. */
  cut(extent: Extent): Extent | null {
    const begin = this.#position;
    this.#position += extent.length;
    const start = Math.max(begin, this.#from);
    const length = Math.min(this.#position, this.#to) - start;
    if (length <= 0) return null;
    if (length === extent.length) return extent;
    return extent.kind === 'hole'
      ? { kind: 'hole', length }
      : { ...extent, offset: extent.offset + start - begin, length };
  }
}
