import { type Hash, HoldfastError, type ShardId, toHex } from '@holdfast/contracts';
import type { CborValue } from '../cbor.ts';

const HASH_BYTES = 32;

/** Takes the items of a message one after the other; whatever is not as it should be is PEER_PROTOCOL. */
export class Fields {
  readonly #items: readonly CborValue[];
  readonly #what: string;
  #next = 0;

  constructor(value: CborValue, what: string) {
    this.#what = what;
    if (!Array.isArray(value)) throw this.#invalid('is not an array');
    this.#items = value;
  }

  any(): CborValue {
    return this.#take();
  }

  uint(name: string, max = Number.MAX_SAFE_INTEGER): number {
    const item = this.#take();
    if (typeof item !== 'number' || item < 0 || item > max) throw this.#invalid(`has a wrong ${name}`);
    return item;
  }

  boolean(name: string): boolean {
    const item = this.#take();
    if (typeof item !== 'boolean') throw this.#invalid(`has a wrong ${name}`);
    return item;
  }

  text(name: string, max: number): string {
    const item = this.#take();
    if (typeof item !== 'string' || item.length > max) throw this.#invalid(`has a wrong ${name}`);
    return item;
  }

  bytes(name: string): Uint8Array {
    const item = this.#take();
    if (!(item instanceof Uint8Array)) throw this.#invalid(`has a wrong ${name}`);
    return item;
  }

  shardId(name: string): ShardId {
    return this.#hex32(name) as ShardId;
  }

  hash(name: string): Hash {
    return this.#hex32(name) as Hash;
  }

  /** Ids strung together in one byte string. */
  shardIds(name: string, max: number): ShardId[] {
    const bytes = this.bytes(name);
    if (bytes.length % HASH_BYTES !== 0 || bytes.length > max * HASH_BYTES) {
      throw this.#invalid(`has a wrong ${name}`);
    }
    const hex = toHex(bytes);
    return Array.from(
      { length: bytes.length / HASH_BYTES },
      (_, i) => hex.slice(i * 2 * HASH_BYTES, (i + 1) * 2 * HASH_BYTES) as ShardId,
    );
  }

  list(name: string, max: number): readonly CborValue[] {
    const item = this.#take();
    if (!Array.isArray(item) || item.length > max) throw this.#invalid(`has a wrong ${name}`);
    return item;
  }

  /** Null as null, anything else as `read` takes it. */
  nullable<T>(read: () => T): T | null {
    if (this.#items[this.#next] !== null) return read();
    this.#next += 1;
    return null;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#next !== this.#items.length) throw this.#invalid('has the wrong number of items');
  }

  #hex32(name: string): string {
    const bytes = this.bytes(name);
    if (bytes.length !== HASH_BYTES) throw this.#invalid(`has a wrong ${name}`);
    return toHex(bytes);
  }

  #take(): CborValue {
    const item = this.#items[this.#next++];
    if (item === undefined) throw this.#invalid('has too few items');
    return item;
  }

  #invalid(why: string): HoldfastError {
    return new HoldfastError('PEER_PROTOCOL', `${this.#what} ${why}`);
  }
}
