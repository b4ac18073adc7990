import { HoldfastError } from '@holdfast/contracts';

/** Reads a field in PostgreSQL's binary representation from front to back: big-endian numbers. FORMAT_INVALID past its end. */
export class FieldBytes {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint8(): number {
    return this.#bytes[this.#skip(1)]!;
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#skip(2));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#skip(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#skip(4));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#skip(4));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#skip(8));
  }

  float4(): number {
    return this.#bytes.readFloatBE(this.#skip(4));
  }

  float8(): number {
    return this.#bytes.readDoubleBE(this.#skip(8));
  }

  /** The next so many bytes, all that are left by default; a view. */
  bytes(length = this.left): Buffer {
    const from = this.#skip(length);
    return this.#bytes.subarray(from, from + length);
  }

  hex(length = this.left): string {
    return this.bytes(length).toString('hex');
  }

  /** One character for each byte. */
  byteString(length = this.left): string {
    return this.bytes(length).toString('latin1');
  }

  /** Up to the next zero byte, which is passed over. */
  cString(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw broken('has text without an end');
    const text = this.byteString(end - this.#at);
    this.#at++;
    return text;
  }

  #skip(length: number): number {
    if (length < 0 || length > this.left) throw broken('ends too early');
    const from = this.#at;
    this.#at += length;
    return from;
  }
}

export const broken = (how: string): HoldfastError =>
  new HoldfastError('FORMAT_INVALID', `A field in PostgreSQL's binary representation ${how}.`);
