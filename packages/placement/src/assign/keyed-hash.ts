import { createHash } from 'node:crypto';

/**
 * HalfSipHash-2-4 with 64 bits of output: Aumasson and Bernstein's SipHash on 32-bit words, from its reference. Keyed by
 * a secret salt, so that nobody can choose an identity that attracts certain partitions; and for short texts several times
 * cheaper than a call into a cryptographic library, which counts with a thousand peers for each partition.
 */
export class KeyedHash {
  readonly #prefixLength: number;
  /** v0 … v3 once the prefix is absorbed, and while a text is hashed. */
  readonly #start = new Int32Array(4);
  readonly #state = new Int32Array(4);

  /**
   * Of texts that all begin with `prefix`, which is absorbed once.
   * @param key 8 bytes
   * @param prefix ASCII, a multiple of 4 characters
   */
  constructor(key: Uint8Array, prefix: string) {
    const view = new DataView(key.buffer, key.byteOffset, 8);
    const k0 = view.getInt32(0, true);
    const k1 = view.getInt32(4, true);
    this.#start.set([k0, k1 ^ 0xee, k0 ^ 0x6c796765, k1 ^ 0x74656462]);
    this.#prefixLength = prefix.length;
    for (let i = 0; i < prefix.length; i += 4) absorb(this.#start, wordAt(prefix, i));
  }

  /** A salt is any number of bytes; different salts give unrelated keys. */
  static fromSalt(salt: Uint8Array, prefix: string): KeyedHash {
    const digest = createHash('sha256').update('holdfast placement salt 1').update(salt).digest();
    return new KeyedHash(digest.subarray(0, 8), prefix);
  }

  /** The low and the high word of the hash of prefix + text (ASCII). */
  words(text: string): [number, number] {
    const state = this.#state;
    state.set(this.#start);
    const whole = text.length & ~3;
    for (let i = 0; i < whole; i += 4) absorb(state, wordAt(text, i));
    const rest = whole < text.length ? wordAt(text, whole) : 0;
    absorb(state, rest | ((this.#prefixLength + text.length) << 24));
    state[2]! ^= 0xee;
    rounds(state, 4);
    const low = state[1]! ^ state[3]!;
    state[1]! ^= 0xdd;
    rounds(state, 4);
    return [low >>> 0, (state[1]! ^ state[3]!) >>> 0];
  }

  /** The hash as a number between 0 and 1, both excluded. */
  uniform(text: string): number {
    const [low, high] = this.words(text);
    return ((high >>> 11) * 2 ** 32 + low + 0.5) / 2 ** 53;
  }
}

/** Little endian. Past the end charCodeAt gives NaN, which counts as 0. */
const wordAt = (text: string, i: number): number =>
  text.charCodeAt(i) |
  (text.charCodeAt(i + 1) << 8) |
  (text.charCodeAt(i + 2) << 16) |
  (text.charCodeAt(i + 3) << 24);

function absorb(state: Int32Array, word: number): void {
  state[3]! ^= word;
  rounds(state, 2);
  state[0]! ^= word;
}

function rounds(state: Int32Array, count: number): void {
  let v0 = state[0]!;
  let v1 = state[1]!;
  let v2 = state[2]!;
  let v3 = state[3]!;
  for (let i = 0; i < count; i++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  state[0] = v0;
  state[1] = v1;
  state[2] = v2;
  state[3] = v3;
}
