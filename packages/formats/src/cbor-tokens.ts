import { isUtf8 } from 'node:buffer';
import { Token, Tokenizer, Type } from 'cborg';

/** Deepest nesting of arrays and maps; our formats need six levels. */
export const MAX_CBOR_DEPTH = 16;

export const STRICT_DECODING = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  rejectDuplicateMapKeys: true,
} as const;

/** Bytes of a head whose low five bits are at most 23, or 24, 25, 26, 27. */
const HEAD_BYTES = [1, 2, 3, 5, 9] as const;

interface Container {
  /** Items still to come; two for each entry of a map. */
  left: number;
  readonly isMap: boolean;
  /** The encoded form of the previous key. */
  lastKey: Uint8Array | null;
}

/**
 * Refuses, token by token and thus before anything is built from it, what strict decoding lets pass: floats, tags,
 * deep nesting, keys that are not text or not in ascending order, and text that is not UTF-8. What remains has
 * exactly one encoding, so that no second pass has to encode it again for comparison.
 */
export class CanonicalTokenizer extends Tokenizer {
  readonly #open: Container[] = [];

  constructor(bytes: Uint8Array) {
    super(bytes, { ...STRICT_DECODING, allowBigInt: true });
  }

  override next(): Token {
    const start = this.pos();
    const token = super.next();
    const { type } = token;
    if (type === Type.tag || type === Type.float || type === Type.undefined || type === Type.break) {
      throw new Error(`${type.name} is not allowed`);
    }
    this.#place(token, start);
    if (type === Type.array || type === Type.map) this.#enter(token);
    return type === Type.string ? this.#exactText(token, start) : token;
  }

  #place(token: Token, start: number): void {
    const open = this.#open;
    while (open.length > 0 && open.at(-1)!.left === 0) open.pop();
    const parent = open.at(-1);
    if (parent === undefined) return;
    if (parent.isMap && parent.left % 2 === 0) {
      if (token.type !== Type.string) throw new Error('a map key is not text');
      const key = this.data.subarray(start, this.pos());
      if (parent.lastKey !== null && Buffer.compare(parent.lastKey, key) >= 0) {
        throw new Error('map keys are repeated or not in ascending order');
      }
      parent.lastKey = key;
    }
    parent.left--;
  }

  #enter(token: Token): void {
    const isMap = token.type === Type.map;
    const items: number = token.value;
    if (items > this.data.length - this.pos()) throw new Error('more items announced than bytes follow');
    if (this.#open.length >= MAX_CBOR_DEPTH) throw new Error(`nested deeper than ${MAX_CBOR_DEPTH} levels`);
    this.#open.push({ left: isMap ? items * 2 : items, isMap, lastKey: null });
  }

  /** The text decoder underneath replaces wrong bytes and drops a leading byte order mark; both must not happen. */
  #exactText(token: Token, start: number): Token {
    const value: string = token.value;
    const end = this.pos();
    const length = end - start - HEAD_BYTES[Math.max(0, (this.data[start]! & 31) - 23)]!;
    // As many UTF-16 units as bytes is ASCII, the common case: nothing else decodes to that many.
    if (value.length === length && !value.includes('\ufffd')) return token;
    const text = this.data.subarray(end - length, end);
    if (!isUtf8(text)) throw new Error('text is not UTF-8');
    const marked = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf;
    return marked ? new Token(Type.string, `\ufeff${value}`, end - start) : token;
  }
}
