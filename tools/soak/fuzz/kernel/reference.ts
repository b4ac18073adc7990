import { isClayWord } from '../../../../packages/erasure/test/clay-stripes.ts';
import { combine, generatorRow } from '../../../../packages/erasure/test/reference-code.ts';
import { Violation } from '../target.ts';
import { BLOCK, gridOf } from './clay-code.ts';
import type { Shape } from './requests.ts';
import { isPlain } from './rules.ts';

/** Slow to compute: that many parity shards are compared with the reference, the rest among the variants. */
const REFERENCE_ROWS = 3;
/** Each byte depends on its own column only: the ends of the shards and of the blocks in between are enough. */
const REFERENCE_BYTES = 192;
/** Of each cell of a Clay code, likewise: bytes at the same place of all cells are a word by themselves. */
const REFERENCE_CELL_BYTES = 4;

/** Whether all shards are a word of the code that the specification defines; `pick` decides which parts are looked at. */
export function checkReference(shape: Shape, shards: readonly Uint8Array[], pick: number): void {
  if (isPlain(shape)) checkPlain(shape, shards, pick);
  else checkClay(shape, shards, pick);
}

function checkClay(shape: Shape, shards: readonly Uint8Array[], pick: number): void {
  const { layers } = gridOf(shape);
  const cellBytes = BLOCK / layers;
  const start = (pick % (shape.bytes / BLOCK)) * BLOCK + (pick % (cellBytes - REFERENCE_CELL_BYTES + 1));
  const cut = shards.map((shard) =>
    Buffer.concat(
      Array.from({ length: layers }, (_, layer) =>
        shard.subarray(start + layer * cellBytes, start + layer * cellBytes + REFERENCE_CELL_BYTES),
      ),
    ),
  );
  const bytes = layers * REFERENCE_CELL_BYTES;
  if (!isClayWord({ ...shape, bytes, seed: pick }, cut, bytes))
    throw new Violation('The shards are not a word of the Clay code of the specification.');
}

function checkPlain({ k, m, bytes }: Shape, shards: readonly Uint8Array[], pick: number): void {
  const columns = sampled(bytes, k);
  const cut = shards.slice(0, k).map((shard) => columnsOf(shard, columns));
  for (let i = 0; i < Math.min(m, REFERENCE_ROWS); i++) {
    const index = k + ((pick + i * 7) % m);
    const expected = combine(generatorRow(k, index), cut, columns.length);
    if (Buffer.compare(expected, columnsOf(shards[index]!, columns)) !== 0)
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
