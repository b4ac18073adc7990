/**
 * Buffers of one size, made when first needed and then recycled: fresh ones of a megabyte cost page faults and garbage
 * collection at every request. Its bound is the bound on what all connections together hold in memory.
 */
export class BufferPool {
  readonly #bytes: number;
  readonly #limit: number;
  readonly #free: Uint8Array[] = [];
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(bytes: number, limit: number) {
    this.#bytes = bytes;
    this.#limit = limit;
  }

  /** Null when all are taken. */
  take(): Uint8Array | null {
    if (this.#taken >= this.#limit) return null;
    this.#taken += 1;
    return this.#free.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(this.#bytes).buffer);
  }

  give(buffer: Uint8Array): void {
    this.#taken -= 1;
    this.#free.push(buffer);
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next();
  }

  /** Calls back once, when a buffer may be free; first come, first served. */
  whenFree(callback: () => void): void {
    this.#waiting.add(callback);
  }

  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }
}
