import { seededRandom } from '@holdfast/testing/seeded-random';

const REFILL_BYTES = 8192;

/** Seeded choices, a few nanoseconds each: a fuzzer makes millions of them. */
export class Dice {
  readonly #bytes: (length: number) => Uint8Array;
  #words: Uint32Array = new Uint32Array(0);
  #next = 0;

  constructor(seed: string | number) {
    this.#bytes = seededRandom(seed).bytes;
  }

  uint32(): number {
    if (this.#next === this.#words.length) {
      this.#words = new Uint32Array(this.#bytes(REFILL_BYTES).buffer);
      this.#next = 0;
    }
    return this.#words[this.#next++]!;
  }

  /** From 0 to below `limit`, which is at least 1 and at most 2^32. */
  below(limit: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * limit);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(share: number): boolean {
    return this.uint32() < share * 2 ** 32;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  bytes(length: number): Uint8Array {
    return this.#bytes(length);
  }

  /** `size` different numbers from 0 to below `limit`, in an order of their own. */
  subset(limit: number, size: number): number[] {
    const order = Array.from({ length: limit }, (_, i) => i);
    for (let i = 0; i < size; i++) {
      const other = this.between(i, limit - 1);
      [order[i], order[other]] = [order[other]!, order[i]!];
    }
    return order.slice(0, size);
  }
}
