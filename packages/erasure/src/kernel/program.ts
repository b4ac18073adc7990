import type { Recipe } from '../decode-matrix.ts';
import { NIBBLE_TABLES } from '../galois-field.ts';

/** Rows that the kernel computes in one pass over the inputs. */
const GROUP = 4;
const TABLE_BYTES = 32;

/** A recipe in the kernel's terms. */
export interface Program {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Row 0 is the plain sum of the inputs and has no tables. */
  readonly xorFirst: boolean;
  /** In the order in which the kernel reads them: by group of rows, then by input, then by row of the group. */
  readonly tables: Uint8Array;
}

export function programOf(recipe: Recipe): Program {
  const { rows, columns, cells } = recipe.coefficients;
  const xorFirst = rows > 0 && cells.subarray(0, columns).every((cell) => cell === 1);
  const tables = new Uint8Array((rows * columns - (xorFirst ? columns : 0)) * TABLE_BYTES);
  let at = 0;
  for (let group = 0; group < rows; group += GROUP) {
    const firstRow = xorFirst && group === 0 ? 1 : group;
    for (let column = 0; column < columns; column++) {
      for (let row = firstRow; row < Math.min(group + GROUP, rows); row++, at += TABLE_BYTES) {
        const table = cells[row * columns + column]! * TABLE_BYTES;
        tables.set(NIBBLE_TABLES.subarray(table, table + TABLE_BYTES), at);
      }
    }
  }
  return { inputs: recipe.inputs, outputs: recipe.outputs, xorFirst, tables };
}

/** Most table bytes that any program for a stripe of `shards` shards needs. */
export function maximalTableBytes(shards: number): number {
  const half = Math.floor(shards / 2);
  // Encoding and decoding need (outputs × k) with outputs + k ≤ shards; updating needs two inputs per parity shard.
  return Math.max(half * (shards - half), 2 * (shards - 1)) * TABLE_BYTES;
}
