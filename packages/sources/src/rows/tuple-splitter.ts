import { HoldfastError } from '@holdfast/contracts';

/** Finds where tuples end in content that arrives cut anywhere. Memory: the tuple that is not yet whole. */
export class TupleSplitter {
  readonly #fields: number;
  /** Copies of what has come of the present tuple. */
  #begun: Uint8Array[] = [];
  /** Fields of it that are not yet over; -1 before its count. */
  #left = -1;
  /** Bytes of the present field that are still to come. */
  #skip = 0;
  /** A count or a length that came in parts. */
  #word = 0;
  #wordBytes = 0;

  constructor({ fields }: { fields: number }) {
    this.#fields = fields;
  }

  /**
   * Whole tuples, back to back, in views that are good until the next call: usually two, one that began in earlier bytes
   * and the rest. FORMAT_INVALID for bytes that are no tuples.
   */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    const views: Uint8Array[] = [];
    let from = 0;
    if (this.#begun.length > 0) {
      from = this.#finish(bytes, 0);
      if (from < 0) {
        this.#begun.push(bytes.slice());
        return views;
      }
      views.push(Buffer.concat([...this.#begun, bytes.subarray(0, from)]));
      this.#begun = [];
    }
    const to = this.#wholeFrom(bytes, from);
    if (to > from) views.push(bytes.subarray(from, to));
    if (to < bytes.length) {
      this.#finish(bytes, to);
      this.#begun = [bytes.slice(to)];
    }
    return views;
  }

  /** FORMAT_INVALID inside a tuple. */
  end(): void {
    if (this.#begun.length > 0) throw invalid('end inside a tuple');
  }

  /** Where the last tuple that is whole ends. */
  #wholeFrom(bytes: Uint8Array, from: number): number {
    for (let start = from; ; ) {
      const end = tupleEnd(bytes, start, this.#fields);
      if (end < 0) return start;
      start = end;
    }
  }

  /** Goes on in the present tuple, or the next. Where it ends; -1 when that is not in these bytes. */
  #finish(bytes: Uint8Array, from: number): number {
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

/** Where the tuple at `start` ends; -1 when that is behind the bytes. FORMAT_INVALID. */
function tupleEnd(bytes: Uint8Array, start: number, fields: number): number {
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

/**
 * The rows of whole tuples, as views of their fields' bytes; null for null. FORMAT_INVALID for bytes that are no tuples,
 * when it comes to them.
 */
export function* fieldsOf(tuples: Uint8Array, fields: number): Generator<(Uint8Array | null)[]> {
  for (let start = 0; start < tuples.length; ) {
    const end = tupleEnd(tuples, start, fields);
    if (end < 0) throw invalid('end inside a tuple');
    yield fieldsAt(tuples, start + 2, fields);
    start = end;
  }
}

function fieldsAt(tuples: Uint8Array, first: number, fields: number): (Uint8Array | null)[] {
  const row = new Array<Uint8Array | null>(fields);
  let at = first;
  for (let i = 0; i < fields; i++) {
    const length = int32(tuples, at);
    at += 4;
    row[i] = length < 0 ? null : tuples.subarray(at, at + length);
    at += Math.max(0, length);
  }
  return row;
}

const MAX_FIELDS = 65_534;

/** One row's tuple. INTERNAL for more fields than a tuple can have. */
export function encodeTuple(fields: readonly (Uint8Array | null)[]): Buffer {
  if (fields.length > MAX_FIELDS) {
    throw new HoldfastError('INTERNAL', `A tuple cannot have ${fields.length} fields.`);
  }
  const tuple = Buffer.allocUnsafe(fields.reduce((bytes, field) => bytes + 4 + (field?.length ?? 0), 2));
  let at = tuple.writeUInt16BE(fields.length);
  for (const field of fields) {
    at = tuple.writeInt32BE(field?.length ?? -1, at);
    if (field) tuple.set(field, at);
    at += field?.length ?? 0;
  }
  return tuple;
}

const int32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;

function checkCount(found: number, fields: number): void {
  if (found !== fields) throw invalid(`have ${found} fields where ${fields} belong`);
}

function checkLength(length: number): number {
  return length >= -1 ? length : fail(`have a field of ${length} bytes`);
}

function fail(how: string): never {
  throw invalid(how);
}

const invalid = (how: string): HoldfastError => new HoldfastError('FORMAT_INVALID', `Rows ${how}.`);
