import { type Extent, MAX_EXTENTS } from './extents.ts';

/** One extent in 1 024 ends a record, on average. */
const BORDER_MASK = 1023;

/**
 * Cuts an object's extents into records at borders that the extents themselves decide, so that after a change the
 * later records, and thus the chunks of the metadata stream, are the same as before. With borders at every 4 096th
 * extent, one extent more would change them all.
 */
export class ExtentCutter {
  #extents: Extent[] = [];

  /** The extents of a record when this one completes it, else null. */
  push(extent: Extent): Extent[] | null {
    this.#extents.push(extent);
    return isBorder(extent) || this.#extents.length === MAX_EXTENTS ? this.#take() : null;
  }

  /** What is left at the end of the object; null when nothing is. */
  flush(): Extent[] | null {
    return this.#extents.length > 0 ? this.#take() : null;
  }

  #take(): Extent[] {
    const extents = this.#extents;
    this.#extents = [];
    return extents;
  }
}

/** Offsets are multiples of powers of two, mostly: multiplying carries their bits up, where they are looked at. */
function isBorder(extent: Extent): boolean {
  if (extent.kind === 'hole') return false;
  let hash = Math.imul(extent.partition | 0, 0x9e3779b1);
  hash = Math.imul(hash ^ extent.frame, 0x85ebca6b) ^ (hash >>> 15);
  hash = Math.imul(hash ^ (extent.offset | 0), 0xc2b2ae35) ^ (hash >>> 13);
  return ((hash >>> 20) & BORDER_MASK) === 0;
}
