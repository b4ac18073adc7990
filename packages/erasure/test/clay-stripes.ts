import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { CLAY_BLOCK_BYTES, type ClayShape, type KernelVariant, StripeArena } from '../src/index.ts';
import { combine, generatorRow, times } from './reference-code.ts';
import { contents, fill, range } from './stripes.ts';

/** Every shape of up to 16 shards, the document's 10 + 4 with both numbers of helpers, and some wide ones. */
export const CLAY_SHAPES: readonly ClayShape[] = [
  ...range(1, 15).flatMap((k) =>
    range(1, 17 - k).flatMap((m) =>
      [2, 4, 8, 16]
        .filter((rows) => m % rows === 0 && rows ** Math.ceil((k + m) / rows) <= 1024)
        .map((rows) => ({ k, m, helpers: k + rows - 1 })),
    ),
  ),
  { k: 16, m: 8, helpers: 23 },
  { k: 16, m: 16, helpers: 31 },
  { k: 18, m: 2, helpers: 19 },
  { k: 30, m: 32, helpers: 61 },
];

export interface ClayStripe extends ClayShape {
  readonly bytes: number;
  readonly seed: number;
}

export const clayStripes = (): fc.Arbitrary<ClayStripe> =>
  fc
    .record({
      shape: fc.constantFrom(...CLAY_SHAPES),
      blocks: fc.integer({ min: 1, max: 2 }),
      seed: fc.integer(),
    })
    .map(({ shape, blocks, seed }) => ({ ...shape, bytes: blocks * CLAY_BLOCK_BYTES, seed }));

export const shapeOf = ({ k, m, helpers, bytes }: ClayStripe): ClayShape & { bytes: number } => ({
  k,
  m,
  helpers,
  bytes,
});

/** Compared by hash: a difference of megabytes is nothing to print. */
export const digestOf = (arena: StripeArena, indices: readonly number[], bytes: number): string[] =>
  contents(arena, indices, bytes).map((shard) => createHash('sha256').update(shard).digest('hex'));

/** With the primaries filled in. */
export function clayArena(stripe: ClayStripe, variant?: KernelVariant, scratchBytes = 0): StripeArena {
  const { k, m, helpers, bytes, seed } = stripe;
  const clay = { k, m, helpers };
  const arena = StripeArena.create({ shards: k + m, shardBytes: bytes, clay, variant, scratchBytes });
  for (const index of range(0, k)) fill(arena.shard(index), seed + index * 0x9e3779b9);
  return arena;
}

/**
 * Whether the shards are a word of the code as docs/specs/clay.md defines it, computed from the definition alone: uncouple
 * every cell of every layer, then compare with the plain code's parity. Shares nothing with the package.
 * @param blockBytes less than there is in truth, where `shards` are samples of so much of each cell.
 */
export function isClayWord(
  { k, m, helpers, bytes }: ClayStripe,
  shards: readonly Uint8Array[],
  blockBytes = CLAY_BLOCK_BYTES,
): boolean {
  const rows = helpers - k + 1;
  const columns = Math.ceil((k + m) / rows);
  const [positions, layers] = [rows * columns, rows ** columns];
  const cellBytes = blockBytes / layers;
  const zeros = new Uint8Array(bytes);
  const grid = [...shards.slice(0, k), ...Array(positions - k - m).fill(zeros), ...shards.slice(k)];
  const uncoupled = grid.map((shard) => Uint8Array.from(shard));
  for (let at = 0; at < bytes; at++) {
    const block = at - (at % blockBytes);
    const layer = Math.floor((at - block) / cellBytes);
    for (let position = 0; position < positions; position++) {
      const [column, row] = [Math.floor(position / rows), position % rows];
      const digit = Math.floor(layer / rows ** column) % rows;
      if (digit === row) continue;
      const other = column * rows + digit;
      const across = at + (row - digit) * rows ** column * cellBytes;
      const [own, partner] = [grid[position]![at], grid[other]![across]];
      uncoupled[position]![at] = row < digit ? own ^ partner : partner ^ times(2, own);
    }
  }
  const data = positions - m;
  return range(data, positions).every((position) =>
    Buffer.from(combine(generatorRow(data, position), uncoupled, bytes)).equals(uncoupled[position]!),
  );
}
