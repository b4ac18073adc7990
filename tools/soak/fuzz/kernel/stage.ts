import { type KernelVariant, StripeArena } from '@holdfast/erasure';
import { combine, generatorRow } from '../../../../packages/erasure/test/reference-code.ts';
import { fill } from '../../../../packages/erasure/test/stripes.ts';
import { Violation } from '../target.ts';
import type { ArenaFacts, KernelRequest } from './requests.ts';

/** Slow to compute: that many parity shards are compared with the reference, the rest among the variants. */
const REFERENCE_ROWS = 3;
/** Each byte depends on its own column only: the ends of the shards and of the blocks in between are enough. */
const REFERENCE_BYTES = 192;

/** Repeated all over the memory, from any place of its first half on: no two slots get the same. */
const NOISE = new Uint8Array(8191);
fill(NOISE, 1);

/** An arena set up for one request, all of its memory known. */
export class Stage {
  readonly arena: StripeArena;

  constructor(facts: ArenaFacts, variant: KernelVariant) {
    this.arena = StripeArena.create({ ...facts, variant });
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
    // The first line stays empty; addresses and tables lie between it and the first slot.
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

/** Parity of the primaries as the slow implementation has it: shard index → the columns compared. */
export function checkReference(
  { k, m, bytes }: Pick<KernelRequest, 'k' | 'm' | 'bytes'>,
  primaries: readonly Uint8Array[],
  parity: (index: number) => Uint8Array,
  pick: number,
): void {
  const columns = sampled(bytes, k);
  const cut = primaries.map((shard) => columnsOf(shard, columns));
  for (let i = 0; i < Math.min(m, REFERENCE_ROWS); i++) {
    const index = k + ((pick + i * 7) % m);
    const expected = combine(generatorRow(k, index), cut, columns.length);
    if (Buffer.compare(expected, columnsOf(parity(index), columns)) !== 0)
      throw new Violation(`Parity shard ${index} is not that of the specification.`);
  }
}

function sampled(bytes: number, k: number): number[] {
  if (bytes <= REFERENCE_BYTES) return Array.from({ length: bytes }, (_, i) => i);
  const block = Math.max(512, Math.floor(131_072 / k / 64) * 64);
  const near = [0, bytes - 32, Math.min(block - 16, bytes - 32)];
  return near.flatMap((start) => Array.from({ length: 32 }, (_, i) => Math.max(0, start) + i));
}

const columnsOf = (shard: Uint8Array, columns: readonly number[]): Uint8Array =>
  Uint8Array.from(columns, (column) => shard[column]!);
