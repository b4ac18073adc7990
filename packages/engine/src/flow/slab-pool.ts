import { cancelled } from '@holdfast/contracts';

/**
 * Fixed memory that content is read into and workers compress from, without a copy in between: slabs are shared
 * buffers, handed to every worker once. Each holder of a part of a slab retains it; the last to release returns it.
 * Reading waits for a free slab, which is what bounds the memory of a backup.
 */
export class SlabPool {
  readonly slabs: readonly SharedArrayBuffer[];
  readonly slabBytes: number;
  readonly #free: number[];
  readonly #references: number[];
  readonly #waiters: { take: (slab: number) => void }[] = [];

  constructor(options: { slabs: number; slabBytes: number }) {
    this.slabBytes = options.slabBytes;
    this.slabs = Array.from({ length: options.slabs }, () => new SharedArrayBuffer(options.slabBytes));
    this.#free = this.slabs.map((_, index) => index);
    this.#references = this.slabs.map(() => 0);
  }

  /** An unused slab's index, held once by the caller. */
  async acquire(signal: AbortSignal): Promise<number> {
    if (signal.aborted) throw cancelled(signal);
    const slab = this.#free.pop() ?? (await this.#wait(signal));
    this.#references[slab] = 1;
    return slab;
  }

  retain(slab: number): void {
    this.#references[slab]!++;
  }

  release(slab: number): void {
    if (--this.#references[slab]! > 0) return;
    const waiter = this.#waiters.shift();
    if (waiter) waiter.take(slab);
    else this.#free.push(slab);
  }

  view(slab: number, offset: number, length: number): Buffer {
    return Buffer.from(this.slabs[slab]!, offset, length);
  }

  #wait(signal: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      const waiter = {
        take: (slab: number) => {
          signal.removeEventListener('abort', onAbort);
          resolve(slab);
        },
      };
      const onAbort = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(cancelled(signal));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(waiter);
    });
  }
}
