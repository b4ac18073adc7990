const MAX_BYTES = 8 * 1024 * 1024;
/** What an entry costs beside its arrays and its key, roughly. */
const ENTRY_BYTES = 512;

/** Values by what they do, least recently used out first, bounded by their bytes. One serves all arenas of a thread. */
export class BoundedCache<T> {
  readonly #entries = new Map<string, T>();
  readonly #bytesOf: (value: T) => number;
  #held = 0;

  constructor(bytesOf: (value: T) => number) {
    this.#bytesOf = bytesOf;
  }

  /** Bytes held now and at most; for tests. */
  get size(): { held: number; limit: number } {
    return { held: this.#held, limit: MAX_BYTES };
  }

  get(key: string, make: () => T): T {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known;
    }
    const value = make();
    this.#entries.set(key, value);
    this.#held += this.#costOf(key, value);
    for (const [oldKey, old] of this.#entries) {
      if (this.#held <= MAX_BYTES || old === value) break;
      this.#entries.delete(oldKey);
      this.#held -= this.#costOf(oldKey, old);
    }
    return value;
  }

  #costOf(key: string, value: T): number {
    return 2 * key.length + this.#bytesOf(value) + ENTRY_BYTES;
  }
}
