/** Choices made by an input's bytes, one after the other; zeros once they are used up. Thus choices can be mutated too. */
export class Draw {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  uint32(): number {
    return this.byte() * 2 ** 24 + this.byte() * 2 ** 16 + this.byte() * 2 ** 8 + this.byte();
  }

  between(least: number, most: number): number {
    return least + (this.uint32() % (most - least + 1));
  }

  /** In 256ths. */
  chance(share: number): boolean {
    return this.byte() < share;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.byte() % items.length]!;
  }

  /** `size` of 0 to below `limit`, in an order of their own. */
  subset(limit: number, size: number): number[] {
    const order = Array.from({ length: limit }, (_, i) => i);
    for (let i = 0; i < size; i++) {
      const other = this.between(i, limit - 1);
      [order[i], order[other]] = [order[other]!, order[i]!];
    }
    return order.slice(0, size);
  }
}
