import { parityRows } from './generator-matrix.ts';
import { inverted, type Matrix, matrix, times } from './matrix.ts';

/** How to make some shards of a stripe from exactly k others. */
export interface Recipe {
  /** Shard indices to read, one per column. */
  readonly inputs: readonly number[];
  /** Shard indices to make, one per row. */
  readonly outputs: readonly number[];
  readonly coefficients: Matrix;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

export function encodeRecipe(k: number, m: number): Recipe {
  return {
    inputs: range(0, k),
    outputs: range(k, k + m),
    coefficients: parityRows(range(0, m), range(0, k)),
  };
}

/**
 * @param present at least k distinct indices below k + m, ascending; the primaries among them and then as few
 *   parity shards as needed are read, so only one small matrix, as wide as primaries are missing, has to be inverted.
 * @param wanted distinct indices, none of them present.
 */
export function decodeRecipe(k: number, present: readonly number[], wanted: readonly number[]): Recipe {
  const inputs = present.slice(0, k);
  const kept = inputs.filter((index) => index < k);
  const missing = range(0, k).filter((index) => !kept.includes(index));
  const used = inputs.slice(kept.length).map((index) => index - k);
  // used parity = A·missing + K·kept, hence missing = A⁻¹·(used parity + K·kept): [A⁻¹·K | A⁻¹] over the inputs.
  const solve = inverted(parityRows(used, missing));
  const solved = beside(times(solve, parityRows(used, kept)), solve);
  const coefficients = matrixOfRows(
    wanted.map((index) =>
      index < k ? rowOf(solved, missing.indexOf(index)) : parityRow(index - k, kept, missing, solved),
    ),
    k,
  );
  return { inputs, outputs: wanted, coefficients };
}

/** A parity shard is its own row applied to the kept primaries plus its row applied to the solved ones. */
function parityRow(
  parity: number,
  kept: readonly number[],
  missing: readonly number[],
  solved: Matrix,
): Uint8Array {
  const row = times(parityRows([parity], missing), solved).cells;
  const direct = parityRows([parity], kept).cells;
  for (let i = 0; i < direct.length; i++) row[i] = row[i]! ^ direct[i]!;
  return row;
}

function beside(left: Matrix, right: Matrix): Matrix {
  return matrix(left.rows, left.columns + right.columns, (row, column) =>
    column < left.columns
      ? left.cells[row * left.columns + column]!
      : right.cells[row * right.columns + column - left.columns]!,
  );
}

function rowOf(from: Matrix, row: number): Uint8Array {
  return from.cells.subarray(row * from.columns, (row + 1) * from.columns);
}

function matrixOfRows(rows: readonly Uint8Array[], columns: number): Matrix {
  return matrix(rows.length, columns, (row, column) => rows[row]![column]!);
}
