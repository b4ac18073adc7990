import { HoldfastError } from '@holdfast/contracts';

const NULL_FIELD = 0xffff_ffff;
const MAX_FIELD_BYTES = 2 ** 30;

/** Finds where tuples end in content that arrives cut anywhere. */
export class TupleSplitter {
  readonly #fields: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor({ fields }: { fields: number }) {
    this.#fields = fields;
  }

  /** Views of whole tuples, back to back, good until the next call. FORMAT_INVALID for bytes that are no tuples. */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    const all = this.#rest.length === 0 ? asBuffer(bytes) : Buffer.concat([this.#rest, bytes]);
    let end = 0;
    for (;;) {
      const next = tupleEnd(all, end, this.#fields);
      if (next === null) break;
      end = next;
    }
    this.#rest = Buffer.from(all.subarray(end));
    return end === 0 ? [] : [all.subarray(0, end)];
  }

  /** FORMAT_INVALID inside a tuple. */
  end(): void {
    if (this.#rest.length > 0) throw broken('end inside a row');
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function tupleEnd(bytes: Buffer, start: number, fields: number): number | null {
  if (start + 2 > bytes.length) return null;
  if (bytes.readUInt16BE(start) !== fields) throw broken(`have a row of other than ${fields} fields`);
  let at = start + 2;
  for (let field = 0; field < fields; field++) {
    if (at + 4 > bytes.length) return null;
    const length = bytes.readUInt32BE(at);
    at += 4;
    if (length === NULL_FIELD) continue;
    if (length > MAX_FIELD_BYTES) throw broken('have a field longer than 1 GiB');
    at += length;
    if (at > bytes.length) return null;
  }
  return at;
}

const broken = (what: string): HoldfastError => new HoldfastError('FORMAT_INVALID', `Rows ${what}`);

/** Rows of fields, views. */
export function* fieldsOf(tuples: Uint8Array, fields: number): Generator<(Uint8Array | null)[]> {
  const bytes = asBuffer(tuples);
  for (let at = 0; at < bytes.length; ) {
    const row: (Uint8Array | null)[] = [];
    at += 2;
    for (let field = 0; field < fields; field++) {
      const length = bytes.readInt32BE(at);
      at += 4;
      row.push(length < 0 ? null : bytes.subarray(at, at + length));
      if (length > 0) at += length;
    }
    yield row;
  }
}

export function encodeTuple(fields: readonly (Uint8Array | null)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(fields.length);
  const parts: Uint8Array[] = [count];
  for (const field of fields) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(field?.length ?? -1);
    parts.push(length);
    if (field) parts.push(field);
  }
  return Buffer.concat(parts);
}
