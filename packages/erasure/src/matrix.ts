import { inverse, multiply } from './galois-field.ts';

/** Rows × columns over GF(2^8), row by row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly cells: Uint8Array;
}

export function matrix(rows: number, columns: number, cell: (row: number, column: number) => number): Matrix {
  const cells = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) cells[row * columns + column] = cell(row, column);
  }
  return { rows, columns, cells };
}

export function times(left: Matrix, right: Matrix): Matrix {
  const cells = new Uint8Array(left.rows * right.columns);
  for (let row = 0; row < left.rows; row++) {
    const target = cells.subarray(row * right.columns, (row + 1) * right.columns);
    for (let i = 0; i < left.columns; i++) {
      addScaledRow(target, right.cells, i * right.columns, left.cells[row * left.columns + i]!);
    }
  }
  return { rows: left.rows, columns: right.columns, cells };
}

export function columnsOf(from: Matrix, columns: readonly number[]): Matrix {
  return matrix(
    from.rows,
    columns.length,
    (row, column) => from.cells[row * from.columns + columns[column]!]!,
  );
}

/** Gauss–Jordan. A singular matrix is a bug of the caller: every square part of the generator matrix is invertible. */
export function inverted(square: Matrix): Matrix {
  const size = square.rows;
  const work = square.cells.slice();
  const result = matrix(size, size, (row, column) => (row === column ? 1 : 0)).cells;
  for (let pivot = 0; pivot < size; pivot++) {
    const source = findPivot(work, size, pivot);
    if (source !== pivot) {
      swapRows(work, size, source, pivot);
      swapRows(result, size, source, pivot);
    }
    const factor = inverse(work[pivot * size + pivot]!);
    scaleRow(work, pivot * size, size, factor);
    scaleRow(result, pivot * size, size, factor);
    for (let row = 0; row < size; row++) {
      const multiple = work[row * size + pivot]!;
      if (row === pivot || multiple === 0) continue;
      addScaledRow(work.subarray(row * size, (row + 1) * size), work, pivot * size, multiple);
      addScaledRow(result.subarray(row * size, (row + 1) * size), result, pivot * size, multiple);
    }
  }
  return { rows: size, columns: size, cells: result };
}

function findPivot(cells: Uint8Array, size: number, column: number): number {
  for (let row = column; row < size; row++) if (cells[row * size + column] !== 0) return row;
  throw new RangeError('singular matrix');
}

function swapRows(cells: Uint8Array, size: number, a: number, b: number): void {
  const kept = cells.slice(a * size, (a + 1) * size);
  cells.copyWithin(a * size, b * size, (b + 1) * size);
  cells.set(kept, b * size);
}

function scaleRow(cells: Uint8Array, start: number, length: number, factor: number): void {
  for (let i = start; i < start + length; i++) cells[i] = multiply(cells[i]!, factor);
}

function addScaledRow(target: Uint8Array, source: Uint8Array, start: number, factor: number): void {
  if (factor === 0) return;
  for (let i = 0; i < target.length; i++) target[i] = target[i]! ^ multiply(source[start + i]!, factor);
}
