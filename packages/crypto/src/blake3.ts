import { type Hash, HoldfastError } from '@holdfast/contracts';
import { type Blake3Mode, backend, type Hasher } from './blake3-backend.ts';

/** Views may lie in shared memory. A list is hashed as the concatenation of its parts. */
export type Bytes = Uint8Array | readonly Uint8Array[];

/** Without a key there is nothing to keep apart between calls, so that they share one. */
const unkeyed = backend.create(undefined);

/** BLAKE3-256 of the bytes: 32 bytes that the caller owns. */
export function blake3(bytes: Bytes): Uint8Array {
  return absorb(unkeyed, bytes).digest();
}

export function blake3Hex(bytes: Bytes): Hash {
  return absorb(unkeyed, bytes).hex() as Hash;
}

/**
 * BLAKE3 in its keyed mode: a pseudo-random function, so that its values tell nothing to who has not the key.
 *
 * @param key 32 bytes.
 */
export function keyedBlake3(key: Uint8Array, bytes: Bytes): Uint8Array {
  return absorb(createHasher({ key }), bytes).digest();
}

/**
 * {@link keyedBlake3} as 64 lower-case hex digits: chunk ids. Made for many calls with one and the same key array,
 * for which the set-up is remembered as long as the array lives.
 */
export function keyedBlake3Hex(key: Uint8Array, bytes: Bytes): string {
  let known = remembered.get(key);
  // An array that was wiped or used for another key must not go on giving the old key's values.
  if (!known || Buffer.compare(known.key, key) !== 0) {
    known = { key: Uint8Array.from(key), hasher: createHasher({ key }) };
    remembered.set(key, known);
  }
  return absorb(known.hasher, bytes).hex();
}

/** Setting a hasher up takes five times as long as hashing a database page. */
const remembered = new WeakMap<Uint8Array, { readonly key: Uint8Array; readonly hasher: Hasher }>();

/** Hashes what comes in pieces. */
export class Blake3Stream {
  #hasher: Hasher | undefined;

  constructor(mode?: Blake3Mode) {
    this.#hasher = createHasher(mode);
  }

  update(bytes: Uint8Array): this {
    this.#open().update(bytes);
    return this;
  }

  /** 32 bytes. Ends the stream. */
  digest(): Uint8Array {
    const digest = this.#open().digest();
    this.#hasher = undefined;
    return digest;
  }

  #open(): Hasher {
    if (!this.#hasher)
      throw new HoldfastError('INTERNAL', 'A BLAKE3 stream was used after its digest was taken.');
    return this.#hasher;
  }
}

export function blakeImplementation(): 'native' | 'portable' {
  return backend.name;
}

function createHasher(mode: Blake3Mode): Hasher {
  // The native module aborts the whole process on a key of another length, so it must never see one.
  if (mode && 'key' in mode && mode.key.length !== 32) {
    throw new HoldfastError('INTERNAL', `A BLAKE3 key has 32 bytes, not ${mode.key.length}.`);
  }
  return backend.create(mode);
}

function absorb(hasher: Hasher, bytes: Bytes): Hasher {
  // Before, not after: a call that failed half way must leave nothing for the next.
  hasher.reset();
  if (bytes instanceof Uint8Array) hasher.update(bytes);
  else for (const part of bytes) hasher.update(part);
  return hasher;
}
