import fc from 'fast-check';
import { type KernelVariant, StripeArena } from '../src/index.ts';

export interface Stripe {
  readonly k: number;
  readonly m: number;
  readonly bytes: number;
  readonly seed: number;
}

/** Mostly small shapes, sometimes up to the limit of 255 shards. */
export const shapes = (leastParity = 1): fc.Arbitrary<{ k: number; m: number }> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        k: fc.integer({ min: 1, max: 20 }),
        m: fc.integer({ min: leastParity, max: 12 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc
        .integer({ min: 1, max: 255 - leastParity })
        .chain((k) => fc.record({ k: fc.constant(k), m: fc.integer({ min: leastParity, max: 255 - k }) })),
    },
  );

export const stripes = (): fc.Arbitrary<Stripe> =>
  fc
    .record({ shape: shapes(), lines: fc.integer({ min: 1, max: 5 }), seed: fc.integer() })
    .map(({ shape, lines, seed }) => ({ ...shape, bytes: lines * 64, seed }));

/** xorshift32: content that differs everywhere and needs no more than a seed to be made again. */
export function fill(target: Uint8Array, seed: number): void {
  let state = seed | 0 || 1;
  for (let i = 0; i < target.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    target[i] = state;
  }
}

/** An arena with the stripe's primaries filled in. */
export function arenaOf(
  { k, m, bytes, seed }: Stripe,
  variant?: KernelVariant,
  scratchBytes = 0,
): StripeArena {
  const arena = StripeArena.create({ shards: k + m, shardBytes: bytes, scratchBytes, variant });
  for (let i = 0; i < k; i++) fill(arena.shard(i), seed + i * 0x9e3779b9);
  return arena;
}

export const contents = (arena: StripeArena, indices: readonly number[], bytes: number): Uint8Array[] =>
  indices.map((index) => Uint8Array.from(arena.shard(index, bytes)));

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

/** A subset of 0 … n − 1 with `size` members, in an order of its own. */
export function subset(n: number, size: number, seed: number): number[] {
  const order = range(0, n);
  const dice = new Uint8Array(n * 2);
  fill(dice, seed);
  for (let i = n - 1; i > 0; i--) {
    const other = (dice[2 * i]! * 256 + dice[2 * i + 1]!) % (i + 1);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order.slice(0, size);
}
