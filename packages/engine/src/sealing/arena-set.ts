import { SHARD_BYTES } from '@holdfast/contracts';
import { payloadCapacity } from '@holdfast/crypto';
import { StripeArena } from '@holdfast/erasure';
import type { ArenaReference } from './protocol.ts';

/**
 * A worker's arenas: each holds one stripe while it is sealed and sent, or fetched and opened. Their number bounds
 * the worker's memory; whoever finds none free waits its turn.
 */
export class ArenaSet {
  readonly #limit: number;
  readonly #arenas: StripeArena[] = [];
  readonly #shards: number[] = [];
  readonly #free: number[] = [];
  readonly #waiters: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(index: number): StripeArena {
    return this.#arenas[index]!;
  }

  /** Index of an arena with at least `shards` slots, and scratch for the payload of `k` primaries. */
  async take(shards: number, k: number): Promise<number> {
    for (;;) {
      const index = this.#pick(shards, k);
      if (index !== null) return index;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  release(index: number): void {
    this.#free.push(index);
    this.#waiters.shift()?.();
  }

  reference(index: number): ArenaReference {
    const arena = this.get(index);
    return {
      index,
      memory: arena.memory.buffer as unknown as SharedArrayBuffer,
      slots: Array.from({ length: this.#shards[index]! }, (_, slot) => arena.shardOffset(slot)),
    };
  }

  #pick(shards: number, k: number): number | null {
    const free = this.#free.findIndex((index) => this.#suits(index, shards, k));
    if (free >= 0) return this.#free.splice(free, 1)[0]!;
    if (this.#arenas.length < this.#limit) return this.#create(this.#arenas.length, shards, k);
    // Stripes of another shape (the policy changed since): replace an idle arena rather than grow the set.
    const idle = this.#free.pop();
    return idle === undefined ? null : this.#create(idle, shards, k);
  }

  #suits(index: number, shards: number, k: number): boolean {
    return (
      this.#shards[index]! >= shards && this.get(index).scratch.length >= payloadCapacity(k, SHARD_BYTES)
    );
  }

  #create(index: number, shards: number, k: number): number {
    this.#arenas[index] = StripeArena.create({
      shards,
      shardBytes: SHARD_BYTES,
      scratchBytes: payloadCapacity(k, SHARD_BYTES),
    });
    this.#shards[index] = shards;
    return index;
  }
}
