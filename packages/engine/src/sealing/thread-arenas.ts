import { StripeArena } from '@holdfast/erasure';
import type { SharedArena } from './protocol.ts';

/**
 * The arenas that a thread works in: memory of the main thread's, which outlives this one. Those that it may make stripes in
 * are handed out one after the other; whoever finds none waits until the main thread has sent a stripe.
 */
export class ThreadArenas {
  readonly #known = new Map<number, SharedArena>();
  readonly #arenas = new Map<number, StripeArena>();
  readonly #free: number[] = [];
  readonly #waiters: (() => void)[] = [];

  know(arena: SharedArena): void {
    this.#known.set(arena.index, arena);
    this.#arenas.delete(arena.index);
  }

  get(index: number): StripeArena {
    const made = this.#arenas.get(index);
    if (made) return made;
    const { memory, size } = this.#known.get(index)!;
    const arena = StripeArena.create({ ...size, memory });
    this.#arenas.set(index, arena);
    return arena;
  }

  async take(): Promise<number> {
    while (this.#free.length === 0) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    return this.#free.shift()!;
  }

  release(index: number): void {
    this.#free.push(index);
    this.#waiters.shift()?.();
  }
}
