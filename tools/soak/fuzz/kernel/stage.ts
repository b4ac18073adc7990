import { HoldfastError } from '@holdfast/contracts';
import { type KernelVariant, StripeArena, supportedVariants } from '@holdfast/erasure';
import { fill } from '../../../../packages/erasure/test/stripes.ts';
import { Violation } from '../target.ts';
import { BLOCK, type ClayCode } from './clay-code.ts';
import type { ArenaFacts } from './requests.ts';

/** Repeated all over the memory, from any place of its first half on: no two slots get the same. */
const NOISE = new Uint8Array(8191);
fill(NOISE, 1);

/** An arena set up for one request, all of its memory known. */
export class Stage {
  readonly arena: StripeArena;

  constructor(facts: ArenaFacts, variant: KernelVariant) {
    this.arena = StripeArena.create({ ...facts, variant });
  }

  /** Whether room made for one Clay code is enough for another: the arena has to know before it writes anything. */
  static hasRoom(facts: ArenaFacts, code: ClayCode): boolean {
    const stage = new Stage(facts, supportedVariants()[0]!);
    stage.set(1, [], null);
    const before = Buffer.from(stage.#memory);
    try {
      stage.arena.encode({ ...code, bytes: BLOCK });
      return true;
    } catch (error) {
      if (!HoldfastError.is(error, 'CODE_PARAMETERS')) throw error;
      if (!before.equals(stage.#memory)) throw new Violation('It wrote before it refused.');
      return false;
    }
  }

  get #memory(): Buffer {
    return Buffer.from(this.arena.memory.buffer as ArrayBuffer);
  }

  /** Noise everywhere from the first slot on, from `seed`; then the good shards, the same whatever the noise. */
  set(seed: number, shards: readonly (Uint8Array | null)[], scratch: Uint8Array | null): void {
    this.#memory.subarray(this.arena.shardOffset(0)).fill(NOISE.subarray(seed % (NOISE.length >> 1)));
    shards.forEach((bytes, index) => {
      if (bytes) this.arena.shard(index, bytes.length).set(bytes);
    });
    if (scratch) this.arena.scratch.set(scratch);
  }

  /** Runs it, and demands that only `outputs` and the kernel's own tables have changed. */
  watched<T>(act: (arena: StripeArena) => T, outputs: readonly number[], bytes: number): T {
    const before = Buffer.from(this.#memory);
    const result = act(this.arena);
    const after = this.#memory;
    // The first line stays empty; addresses, tables, schedule and workspace lie between it and the first slot.
    let from = 0;
    const allowed = [[64, this.arena.shardOffset(0)] as const, ...this.#spans(outputs, bytes)];
    for (const [start, end] of allowed) {
      if (before.compare(after, from, start, from, start) !== 0)
        throw new Violation(`It wrote between ${from} and ${start}.`);
      from = end;
    }
    if (before.compare(after, from, after.length, from, before.length) !== 0)
      throw new Violation(`It wrote behind ${from}.`);
    return result;
  }

  /** Refused: then not a single byte may have changed, nor the tables. */
  untouched(act: (arena: StripeArena) => unknown): void {
    const before = Buffer.from(this.#memory);
    let failure: unknown = null;
    try {
      act(this.arena);
    } catch (error) {
      failure = error;
    }
    if (!before.equals(this.#memory)) throw new Violation('It wrote before it refused.');
    if (failure !== null) throw failure;
  }

  read(index: number, bytes: number): Buffer {
    return Buffer.from(this.arena.shard(index, bytes));
  }

  #spans(outputs: readonly number[], bytes: number): (readonly [number, number])[] {
    return [...outputs]
      .sort((a, b) => a - b)
      .map((index) => [this.arena.shardOffset(index), this.arena.shardOffset(index) + bytes] as const);
  }
}
