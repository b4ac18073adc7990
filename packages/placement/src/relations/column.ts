type Elements = Uint8Array | Uint32Array;

const CHUNK_BITS = 14;
/** Elements in a chunk: small enough that growing wastes little, large enough that 10^8 elements are few objects. */
export const CHUNK = 1 << CHUNK_BITS;

/**
 * Numbers by position, in chunks: growing adds one and never copies what is there. Positions below 2^32; what was never
 * set is 0.
 */
export class Column {
  readonly #chunks: Elements[] = [];
  readonly #newChunk: () => Elements;

  private constructor(newChunk: () => Elements) {
    this.#newChunk = newChunk;
  }

  static ofBytes(): Column {
    return new Column(() => new Uint8Array(CHUNK));
  }

  static ofWords(): Column {
    return new Column(() => new Uint32Array(CHUNK));
  }

  get(position: number): number {
    const chunk = this.#chunks[position >>> CHUNK_BITS];
    return chunk === undefined ? 0 : chunk[position & (CHUNK - 1)]!;
  }

  set(position: number, value: number): void {
    const which = position >>> CHUNK_BITS;
    while (this.#chunks.length <= which) this.#chunks.push(this.#newChunk());
    this.#chunks[which]![position & (CHUNK - 1)] = value;
  }

  get bytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }
}
