import { SHARD_BYTES } from '@holdfast/contracts';
import { payloadCapacity } from '@holdfast/crypto';
import { StripeArena } from '@holdfast/erasure';
import type { ArenaReference, SharedArena } from './protocol.ts';

/**
 * A lane's arenas: each holds one stripe while it is sealed and sent, or fetched and opened. Their number bounds the lane's
 * memory; whoever finds none free waits its turn. They belong to the main thread: what lies in them is still there when
 * the lane's thread is not.
 */
export class ArenaSet {
  readonly #limit: number;
  readonly #made: (arena: SharedArena) => void;
  readonly #arenas: StripeArena[] = [];
  readonly #shared: SharedArena[] = [];
  readonly #free: number[] = [];
  readonly #waiters: PromiseWithResolvers<void>[] = [];
  #failure: Error | null = null;

  /** @param made tells of each arena before it is first used. */
  constructor(limit: number, made: (arena: SharedArena) => void) {
    this.#limit = limit;
    this.#made = made;
  }

  get all(): readonly SharedArena[] {
    return this.#shared;
  }

  /** Index of an arena with at least `shards` slots, and scratch for the payload of `k` primaries. */
  async take(shards: number, k: number): Promise<number> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const index = this.pick(shards, k);
      if (index !== null) return index;
      const waiter = Promise.withResolvers<void>();
      this.#waiters.push(waiter);
      await waiter.promise;
    }
  }

  /** The same; null when none is free. */
  pick(shards: number, k: number): number | null {
    const free = this.#free.findIndex((index) => this.#suits(index, shards, k));
    if (free >= 0) return this.#free.splice(free, 1)[0]!;
    if (this.#arenas.length < this.#limit) return this.#create(this.#arenas.length, shards, k);
    // Stripes of another shape (the policy changed since): replace an idle arena rather than grow the set.
    const idle = this.#free.pop();
    return idle === undefined ? null : this.#create(idle, shards, k);
  }

  release(index: number): void {
    this.#free.push(index);
    this.#waiters.shift()?.resolve();
  }

  /** Nobody gets one any more. */
  fail(error: Error): void {
    this.#failure = error;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  reference(index: number): ArenaReference {
    const arena = this.#arenas[index]!;
    return {
      index,
      memory: arena.memory.buffer as unknown as SharedArrayBuffer,
      slots: Array.from({ length: this.#shared[index]!.size.shards }, (_, slot) => arena.shardOffset(slot)),
    };
  }

  #suits(index: number, shards: number, k: number): boolean {
    const { size } = this.#shared[index]!;
    return size.shards >= shards && size.scratchBytes >= payloadCapacity(k, SHARD_BYTES);
  }

  #create(index: number, shards: number, k: number): number {
    const size = { shards, shardBytes: SHARD_BYTES, scratchBytes: payloadCapacity(k, SHARD_BYTES) };
    const arena = StripeArena.create(size);
    this.#arenas[index] = arena;
    this.#shared[index] = { index, memory: arena.memory, size };
    this.#made(this.#shared[index]);
    return index;
  }
}
