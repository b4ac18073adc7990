import { HoldfastError } from '@holdfast/contracts';
import { decode, encode } from 'cborg';
import { CanonicalTokenizer, MAX_CBOR_DEPTH, STRICT_DECODING } from './cbor-tokens.ts';

/**
 * What our deterministic CBOR (RFC 8949, section 4.2.1) carries: no floats, no tags, no undefined, text keys only. A
 * bigint within the safe integers is read back as a number, since both have the same encoding.
 */
export type CborValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CborValue[]
  | { readonly [key: string]: CborValue };

export interface DecodeLimits {
  /** The object for error messages, such as `the manifest of peer X`. */
  readonly what: string;
  /** Longer input is refused unread. What is built from the input is bounded by a multiple of its length. */
  readonly maxBytes: number;
}

const MIN_INTEGER = -(2n ** 64n);
const MAX_INTEGER = 2n ** 64n - 1n;

/** Throws INTERNAL for what the format cannot carry: the caller built a wrong value. The result is the caller's. */
export function encodeCanonical(value: CborValue): Uint8Array {
  assertEncodable(value, 0);
  return encode(value);
}

/**
 * Accepts exactly the bytes that `encodeCanonical` makes: any other encoding of the same value is FORMAT_INVALID.
 * The result shares no memory with `bytes`.
 */
export function decodeCanonical(bytes: Uint8Array, limits: DecodeLimits): CborValue {
  const { what, maxBytes } = limits;
  if (bytes.length > maxBytes) {
    throw new HoldfastError(
      'FORMAT_INVALID',
      `${what} has ${bytes.length} bytes; at most ${maxBytes} are allowed`,
    );
  }
  // Over a Buffer the library's slices would alias the input.
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return decode(view, { ...STRICT_DECODING, tokenizer: new CanonicalTokenizer(view) }) as CborValue;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CBOR decode error: /, '') : String(error);
    throw new HoldfastError('FORMAT_INVALID', `${what} is not canonical CBOR: ${reason}`, { cause: error });
  }
}

function assertEncodable(value: CborValue, depth: number): void {
  switch (typeof value) {
    case 'boolean':
      return;
    case 'number':
      if (!Number.isSafeInteger(value)) throw unencodable(`the number ${value}`);
      return;
    case 'bigint':
      if (value < MIN_INTEGER || value > MAX_INTEGER) throw unencodable(`the integer ${value}`);
      return;
    case 'string':
      if (!value.isWellFormed()) throw unencodable('text with a lone surrogate');
      return;
    case 'object':
      assertEncodableObject(value, depth);
      return;
    default:
      throw unencodable(`a value of type ${typeof value}`);
  }
}

function assertEncodableObject(
  value: null | Uint8Array | readonly CborValue[] | { readonly [key: string]: CborValue },
  depth: number,
): void {
  if (value === null || value instanceof Uint8Array) return;
  if (depth >= MAX_CBOR_DEPTH) throw unencodable(`nesting deeper than ${MAX_CBOR_DEPTH} levels`);
  if (Array.isArray(value)) {
    for (const item of value) assertEncodable(item, depth + 1);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    assertEncodable(key, depth);
    assertEncodable(item, depth + 1);
  }
}

const unencodable = (what: string): HoldfastError =>
  new HoldfastError('INTERNAL', `Canonical CBOR cannot carry ${what}`);
