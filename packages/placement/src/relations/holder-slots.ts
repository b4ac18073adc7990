import { HoldfastError } from '@holdfast/contracts';
import { CHUNK } from './column.ts';

const NARROW_MOST = 0xffff;
/** One less than 2^32, so that a position plus one still fits two slots of 16 bits. */
const MOST_SLOTS = 2 ** 32 - 1;

/**
 * A peer's number for each slot (0: nobody), slots being given out in runs, one run a partition. Two bytes a slot; a chunk
 * in which a larger number is set becomes one of four bytes a slot, so that swarms of up to 65 535 peers pay two.
 */
export class HolderSlots {
  readonly #chunks: (Uint16Array | Uint32Array)[] = [];
  /** By length of run: position plus one of the first free run; the others are chained through the runs themselves. */
  readonly #free = new Map<number, number>();
  #end = 0;

  /** @returns the first of `length` ≥ 2 adjacent slots, all 0. Free runs are reused for runs of the same length only. */
  allocate(length: number): number {
    const free = this.#free.get(length) ?? 0;
    if (free > 0) {
      const start = free - 1;
      this.#free.set(length, this.get(start) + this.get(start + 1) * 0x10000);
      this.set(start, 0);
      this.set(start + 1, 0);
      return start;
    }
    const start = this.#end;
    if (start + length > MOST_SLOTS) {
      throw new HoldfastError(
        'USAGE',
        `A relationship matrix has room for ${MOST_SLOTS} shards; there is none for ${length} more.`,
      );
    }
    this.#end += length;
    return start;
  }

  release(start: number, length: number): void {
    for (let slot = start; slot < start + length; slot++) this.set(slot, 0);
    const next = this.#free.get(length) ?? 0;
    this.set(start, next & 0xffff);
    this.set(start + 1, next >>> 16);
    this.#free.set(length, start + 1);
  }

  get(slot: number): number {
    const chunk = this.#chunks[Math.floor(slot / CHUNK)];
    return chunk === undefined ? 0 : chunk[slot % CHUNK]!;
  }

  set(slot: number, peer: number): void {
    const which = Math.floor(slot / CHUNK);
    while (this.#chunks.length <= which) this.#chunks.push(new Uint16Array(CHUNK));
    if (peer > NARROW_MOST && this.#chunks[which] instanceof Uint16Array) {
      this.#chunks[which] = Uint32Array.from(this.#chunks[which]);
    }
    this.#chunks[which]![slot % CHUNK] = peer;
  }

  get bytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }
}
