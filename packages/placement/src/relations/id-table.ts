import { bytesToUuid, type PartitionId } from '@holdfast/contracts';
import { Column } from './column.ts';

const SEGMENT_BITS = 10;
const HOME_BITS = 32 - SEGMENT_BITS;
const FIRST_SIZE = 8;
const FULL = 0.7;
const GROWTH = 1.5;

const HYPHEN = 45;
const NO_DIGIT = 16;
/** By character code. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code));
  return digit < 0 ? NO_DIGIT : digit;
});

/**
 * Partition ids ↔ small numbers from 1. Each id's 16 bytes are kept once; a hash table with linear probing finds the number.
 * The table is 1 024 small ones, by the hash's upper bits, that grow each for itself: at no time is a large array copied,
 * nor are an old and a new one of full size there together.
 */
export class IdTable {
  readonly #words = Column.ofWords();
  readonly #segments: (Uint32Array | undefined)[] = new Array(1 << SEGMENT_BITS).fill(undefined);
  readonly #used = new Uint32Array(1 << SEGMENT_BITS);
  readonly #key = new Uint32Array(4);
  #highest = 0;
  /** Numbers that were given back, chained through the first word of their ids. */
  #free = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The highest number ever given. */
  get highest(): number {
    return this.#highest;
  }

  /** @returns 0 when it is not there, or no UUID in lower case. */
  find(id: PartitionId): number {
    const hash = this.#read(id);
    if (hash < 0) return 0;
    const slots = this.#segments[hash >>> HOME_BITS];
    if (slots === undefined) return 0;
    for (let at = homeOf(hash, slots.length); ; at = after(at, slots.length)) {
      const number = slots[at]!;
      if (number === 0 || this.#isKey(number)) return number;
    }
  }

  /** @param id a UUID that is not there */
  add(id: PartitionId): number {
    const hash = this.#read(id);
    const number = this.#free > 0 ? this.#free : this.#highest + 1;
    if (this.#free > 0) this.#free = this.#words.get(4 * number);
    else this.#highest = number;
    for (let i = 0; i < 4; i++) this.#words.set(4 * number + i, this.#key[i]!);
    insert(this.#withRoom(hash >>> HOME_BITS), hash, number);
    this.#used[hash >>> HOME_BITS]! += 1;
    this.#count += 1;
    return number;
  }

  remove(number: number): void {
    const hash = this.#hashOf(number);
    const slots = this.#segments[hash >>> HOME_BITS]!;
    let hole = homeOf(hash, slots.length);
    while (slots[hole] !== number) hole = after(hole, slots.length);
    // Whoever was pushed past the hole moves into it, or a later search would stop at the hole.
    for (let at = after(hole, slots.length); slots[at] !== 0; at = after(at, slots.length)) {
      const home = homeOf(this.#hashOf(slots[at]!), slots.length);
      const stays = hole < at ? hole < home && home <= at : hole < home || home <= at;
      if (stays) continue;
      slots[hole] = slots[at]!;
      hole = at;
    }
    slots[hole] = 0;
    this.#used[hash >>> HOME_BITS]! -= 1;
    this.#count -= 1;
    this.#words.set(4 * number, this.#free);
    this.#free = number;
  }

  idOf(number: number): PartitionId {
    const bytes = new DataView(new ArrayBuffer(16));
    for (let i = 0; i < 4; i++) bytes.setUint32(4 * i, this.#words.get(4 * number + i));
    return bytesToUuid(new Uint8Array(bytes.buffer)) as PartitionId;
  }

  get bytes(): number {
    const slots = this.#segments.reduce((sum, segment) => sum + (segment?.byteLength ?? 0), 0);
    return this.#words.bytes + slots + this.#used.byteLength;
  }

  /** Into the key, digit by digit: substrings and patterns would take longer than all the rest. @returns its hash, −1 for no UUID. */
  #read(id: PartitionId): number {
    const key = this.#key;
    if (id.length !== 36) return -1;
    for (let at = 0, digits = 0; at < 36; at++) {
      const code = id.charCodeAt(at);
      if (at === 8 || at === 13 || at === 18 || at === 23) {
        if (code !== HYPHEN) return -1;
        continue;
      }
      const digit = code < 128 ? DIGITS[code]! : NO_DIGIT;
      if (digit === NO_DIGIT) return -1;
      key[digits >>> 3] = (key[digits >>> 3]! << 4) | digit;
      digits += 1;
    }
    return mix(key[0]!, key[1]!, key[2]!, key[3]!);
  }

  #isKey(number: number): boolean {
    const [words, key] = [this.#words, this.#key];
    // The last word first: it is the one that differs between ids that are counted up.
    return (
      words.get(4 * number + 3) === key[3] &&
      words.get(4 * number + 2) === key[2] &&
      words.get(4 * number + 1) === key[1] &&
      words.get(4 * number) === key[0]
    );
  }

  #hashOf(number: number): number {
    const words = this.#words;
    return mix(
      words.get(4 * number),
      words.get(4 * number + 1),
      words.get(4 * number + 2),
      words.get(4 * number + 3),
    );
  }

  #withRoom(segment: number): Uint32Array {
    const slots = this.#segments[segment];
    if (slots !== undefined && this.#used[segment]! + 1 <= FULL * slots.length) return slots;
    const size = slots === undefined ? FIRST_SIZE : Math.ceil(slots.length * GROWTH);
    const larger = new Uint32Array(size);
    for (const number of slots ?? []) if (number !== 0) insert(larger, this.#hashOf(number), number);
    this.#segments[segment] = larger;
    return larger;
  }
}

function insert(slots: Uint32Array, hash: number, number: number): void {
  let at = homeOf(hash, slots.length);
  while (slots[at] !== 0) at = after(at, slots.length);
  slots[at] = number;
}

/** The hash's lower bits, scaled to the table's size, which is no power of two (Lemire's reduction). */
const homeOf = (hash: number, size: number): number =>
  Math.floor(((hash & ((1 << HOME_BITS) - 1)) * size) / (1 << HOME_BITS));

const after = (at: number, size: number): number => (at + 1 === size ? 0 : at + 1);

/** MurmurHash3 x86_32 of four words (Appleby, public domain). Nobody gains by colliding ids: the owner makes them. */
function mix(a: number, b: number, c: number, d: number): number {
  let hash = round(round(round(round(0, a), b), c), d) ^ 16;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(hash: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51);
  mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  const turned = hash ^ mixed;
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}
