import { SHARD_BYTES } from '@holdfast/contracts';
import { payloadCapacity } from '@holdfast/crypto';
import { type ArenaSize, StripeArena } from '@holdfast/erasure';
import type { ArenaReference, SharedArena, StripeCode } from './protocol.ts';

/** With a slot for each shard, and scratch for the payload. */
export function arenaSizeFor({ k, m, helpers }: StripeCode): ArenaSize {
  const size = { shards: k + m, shardBytes: SHARD_BYTES, scratchBytes: payloadCapacity(k, SHARD_BYTES) };
  return helpers === 0 ? size : { ...size, clay: { k, m, helpers } };
}

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

  /** Index of an arena that holds such a stripe. */
  async take(code: StripeCode): Promise<number> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const index = this.pick(code);
      if (index !== null) return index;
      const waiter = Promise.withResolvers<void>();
      this.#waiters.push(waiter);
      await waiter.promise;
    }
  }

  /** The same; null when none is free. */
  pick(code: StripeCode): number | null {
    const wanted = arenaSizeFor(code);
    const free = this.#free.findIndex((index) => suits(this.#shared[index]!.size, wanted));
    if (free >= 0) return this.#free.splice(free, 1)[0]!;
    if (this.#arenas.length < this.#limit) return this.#create(this.#arenas.length, wanted);
    // Stripes of another shape (the policy changed since): replace an idle arena rather than grow the set.
    const idle = this.#free.pop();
    return idle === undefined ? null : this.#create(idle, wanted);
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

  #create(index: number, size: ArenaSize): number {
    const arena = StripeArena.create(size);
    const shared = { index, memory: arena.memory, size };
    this.#arenas[index] = arena;
    this.#shared[index] = shared;
    this.#made(shared);
    return index;
  }
}

function suits(size: ArenaSize, wanted: ArenaSize): boolean {
  const roomy = size.shards >= wanted.shards && (size.scratchBytes ?? 0) >= (wanted.scratchBytes ?? 0);
  const [clay, other] = [wanted.clay, size.clay];
  return roomy && (!clay || (clay.k === other?.k && clay.m === other.m && clay.helpers === other.helpers));
}
