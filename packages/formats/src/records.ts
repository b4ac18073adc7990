import { HoldfastError, MiB } from '@holdfast/contracts';
import { MAX_VARINT_BYTES, writeVarint } from './varint.ts';

export const MAX_RECORD_BYTES = MiB;
/** A varint up to `MAX_RECORD_BYTES`. */
const MAX_PREFIX_BYTES = 3;

/** A stream is records one after the other, each a varint length and that many bytes. */
export function withLength(body: Uint8Array, what: string): Uint8Array {
  if (body.length > MAX_RECORD_BYTES) {
    throw new HoldfastError(
      'FORMAT_INVALID',
      `${what} takes ${body.length} bytes; a record has at most 1 MiB`,
    );
  }
  const record = new Uint8Array(MAX_VARINT_BYTES + body.length);
  const start = writeVarint(record, 0, body.length);
  record.set(body, start);
  return record.subarray(0, start + body.length);
}

/**
 * The same for a list whose items are encoded already; `items` are at most 23, so that the list's head is one byte
 * (RFC 8949, section 3).
 */
export const listWithLength = (items: readonly Uint8Array[], what: string): Uint8Array =>
  withLength(Buffer.concat([Uint8Array.of(0x80 + items.length), ...items]), what);

/**
 * Cuts a stream back into records, whatever pieces it comes in. Holds at most one record between calls. What breaks the
 * format is FORMAT_INVALID, from then on at every call.
 */
export class RecordReader<T> {
  readonly #what: string;
  readonly #decode: (body: Uint8Array) => T;
  readonly #finish: () => void;
  #failure: unknown = null;
  #prefixBytes = 0;
  #length = 0;
  /** While false, `#length` is still being read. */
  #inBody = false;
  #partial: Uint8Array | null = null;
  #filled = 0;

  /** @param finish Called at the end of the stream: throws if it must not end here. */
  constructor(what: string, decode: (body: Uint8Array) => T, finish: () => void = () => undefined) {
    this.#what = what;
    this.#decode = decode;
    this.#finish = finish;
  }

  /** The records completed by `bytes`, which is borrowed for the call only. */
  push(bytes: Uint8Array): T[] {
    const records: T[] = [];
    this.#guarded(() => {
      let at = 0;
      while (at < bytes.length)
        at = this.#inBody ? this.#body(bytes, at, records) : this.#prefix(bytes[at]!, at);
    });
    return records;
  }

  /** No more bytes follow. FORMAT_INVALID when the stream is cut short. */
  end(): T[] {
    this.#guarded(() => {
      if (this.#inBody || this.#prefixBytes > 0) throw this.#invalid('ends inside a record');
      this.#finish();
    });
    return [];
  }

  #prefix(byte: number, at: number): number {
    this.#length += (byte & 0x7f) * 128 ** this.#prefixBytes;
    this.#prefixBytes++;
    if (byte >= 0x80) {
      if (this.#prefixBytes === MAX_PREFIX_BYTES) throw this.#invalid('has a record of more than 1 MiB');
      return at + 1;
    }
    if (byte === 0 && this.#prefixBytes > 1)
      throw this.#invalid('has a record length that is longer than needed');
    if (this.#length === 0) throw this.#invalid('has an empty record');
    if (this.#length > MAX_RECORD_BYTES) throw this.#invalid('has a record of more than 1 MiB');
    this.#inBody = true;
    return at + 1;
  }

  #body(bytes: Uint8Array, at: number, records: T[]): number {
    const length = this.#length;
    if (this.#partial === null && bytes.length - at >= length) {
      this.#complete(bytes.subarray(at, at + length), records);
      return at + length;
    }
    this.#partial ??= new Uint8Array(length);
    const taken = Math.min(length - this.#filled, bytes.length - at);
    this.#partial.set(bytes.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === length) this.#complete(this.#partial, records);
    return at + taken;
  }

  #complete(body: Uint8Array, records: T[]): void {
    this.#partial = null;
    this.#filled = 0;
    this.#length = 0;
    this.#prefixBytes = 0;
    this.#inBody = false;
    records.push(this.#decode(body));
  }

  #guarded(step: () => void): void {
    if (this.#failure !== null) throw this.#failure;
    try {
      step();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #invalid(reason: string): HoldfastError {
    return new HoldfastError('FORMAT_INVALID', `${this.#what} ${reason}`);
  }
}
