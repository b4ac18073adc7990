import { refuse } from './fields.ts';

/**
 * Unsigned LEB128 over the safe integers: seven bits a byte, least significant first, the high bit set on all but the
 * last. Exactly one encoding each: the last byte of several is not zero.
 */
export const MAX_VARINT_BYTES = 8;

/** Writes at `position` and returns the position after it. Shifts work on 32 bits, hence the division for more. */
export function writeVarint(into: Uint8Array, position: number, value: number): number {
  let rest = value;
  let at = position;
  while (rest > 0x7fffffff) {
    into[at++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest > 0x7f) {
    into[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[at++] = rest;
  return at;
}

/** Reads one number after another. For use within a field reader: refuses what is cut short, too large or overlong. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#position >= this.#bytes.length;
  }

  next(): number {
    const bytes = this.#bytes;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = bytes[this.#position++];
      if (byte === undefined) return refuse('ends inside a number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && i > 0) return refuse('has a number longer than needed');
        return value <= Number.MAX_SAFE_INTEGER ? value : refuse('has a number beyond the safe integers');
      }
      scale *= 128;
    }
    return refuse('has a number beyond the safe integers');
  }
}
