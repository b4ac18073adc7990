import { HoldfastError } from '@holdfast/contracts';

/** Where tuples end in content that arrives cut anywhere. Remembers its place in the present tuple, and no bytes. */
export class TupleEnds {
  readonly #fields: number;
  /** Fields of the present tuple that are not yet over; -1 before its count. */
  #left = -1;
  /** Bytes of the present field that are still to come. */
  #skip = 0;
  /** A count or a length that came in parts. */
  #word = 0;
  #wordBytes = 0;

  constructor({ fields }: { fields: number }) {
    this.#fields = fields;
  }

  get inside(): boolean {
    return this.#left >= 0 || this.#wordBytes > 0;
  }

  /** Goes on in the present tuple, or the next. Where it ends; -1 when that is not in these bytes. FORMAT_INVALID. */
  next(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const run = Math.min(this.#skip, bytes.length - at);
        at += run;
        this.#skip -= run;
        if (this.#skip > 0) return -1;
        this.#left--;
      } else {
        this.#word = ((this.#word << 8) | bytes[at++]!) >>> 0;
        if (++this.#wordBytes === (this.#left < 0 ? 2 : 4)) this.#number();
      }
      if (this.#left === 0) {
        this.#left = -1;
        return at;
      }
    }
    return -1;
  }

  /** Goes through all of these bytes. Where the last tuple that ends in them does; 0 when none does. FORMAT_INVALID. */
  last(bytes: Uint8Array): number {
    const first = this.inside ? this.next(bytes, 0) : 0;
    if (first < 0) return 0;
    const end = lastTupleEnd(bytes, first, this.#fields);
    this.next(bytes, end);
    return end;
  }

  #number(): void {
    const value = this.#word;
    this.#word = 0;
    this.#wordBytes = 0;
    if (this.#left < 0) {
      checkCount(value, this.#fields);
      this.#left = value;
      return;
    }
    this.#skip = Math.max(0, checkLength(value | 0));
    if (this.#skip === 0) this.#left--;
  }
}

/** Where the last whole tuple ends of those that begin at `from`. FORMAT_INVALID. */
export function lastTupleEnd(bytes: Uint8Array, from: number, fields: number): number {
  for (let start = from; ; ) {
    const end = tupleEnd(bytes, start, fields);
    if (end < 0) return start;
    start = end;
  }
}

/** Where the tuple at `start` ends; -1 when that is behind the bytes. FORMAT_INVALID. */
export function tupleEnd(bytes: Uint8Array, start: number, fields: number): number {
  if (bytes.length - start < 2) return -1;
  checkCount((bytes[start]! << 8) | bytes[start + 1]!, fields);
  let at = start + 2;
  for (let i = 0; i < fields; i++) {
    if (bytes.length - at < 4) return -1;
    const length = checkLength(int32(bytes, at));
    at += length > 0 ? 4 + length : 4;
  }
  return at <= bytes.length ? at : -1;
}

export const int32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;

function checkCount(found: number, fields: number): void {
  if (found !== fields) throw invalidTuples(`have ${found} fields where ${fields} belong`);
}

function checkLength(length: number): number {
  if (length >= -1) return length;
  throw invalidTuples(`have a field of ${length} bytes`);
}

export const invalidTuples = (how: string): HoldfastError =>
  new HoldfastError('FORMAT_INVALID', `Rows ${how}.`);
