import { HoldfastError } from '@holdfast/contracts';
import { int32, invalidTuples, lastTupleEnd, TupleEnds, tupleEnd } from './tuple-ends.ts';

/** Finds whole tuples in content that arrives cut anywhere. Memory: the tuple that is not yet whole. */
export class TupleSplitter {
  readonly #fields: number;
  readonly #ends: TupleEnds;
  /** Copies of what has come of the present tuple. */
  #begun: Uint8Array[] = [];

  constructor({ fields }: { fields: number }) {
    this.#fields = fields;
    this.#ends = new TupleEnds({ fields });
  }

  /**
   * Whole tuples, back to back, in views that are good until the next call: usually two, one that began in earlier bytes
   * and the rest. FORMAT_INVALID for bytes that are no tuples.
   */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    const views: Uint8Array[] = [];
    let from = 0;
    if (this.#begun.length > 0) {
      from = this.#ends.next(bytes, 0);
      if (from < 0) {
        this.#begun.push(copyOf(bytes));
        return views;
      }
      views.push(Buffer.concat([...this.#begun, bytes.subarray(0, from)]));
      this.#begun = [];
    }
    const to = lastTupleEnd(bytes, from, this.#fields);
    if (to > from) views.push(bytes.subarray(from, to));
    if (to < bytes.length) {
      this.#ends.next(bytes, to);
      this.#begun = [copyOf(bytes.subarray(to))];
    }
    return views;
  }

  /** FORMAT_INVALID inside a tuple. */
  end(): void {
    if (this.#begun.length > 0) throw invalidTuples('end inside a tuple');
  }
}

/** A Buffer's own `slice` is no copy, and what is pushed is only borrowed. */
const copyOf = (bytes: Uint8Array): Uint8Array => Uint8Array.prototype.slice.call(bytes);

/**
 * The rows of whole tuples, as views of their fields' bytes; null for null. FORMAT_INVALID for bytes that are no tuples,
 * when it comes to them.
 */
export function* fieldsOf(tuples: Uint8Array, fields: number): Generator<(Uint8Array | null)[]> {
  for (let start = 0; start < tuples.length; ) {
    const end = tupleEnd(tuples, start, fields);
    if (end < 0) throw invalidTuples('end inside a tuple');
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
