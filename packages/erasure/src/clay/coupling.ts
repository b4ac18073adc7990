import { inverted, type Matrix, matrix, times } from '../matrix.ts';

/**
 * Two cells of one column are coupled: a's in the layer whose digit there is b's row, and b's in the layer whose digit is
 * a's row, the rest of the layers' digits being equal; a is the one in the lower row. What is stored (C) and what the plain
 * code is applied to (U) are
 *
 *     U_a = C_a + C_b        U_b = C_a + 2·C_b
 *
 * All that a Clay code asks of a coupling is that any two of the four give the other two. This is the cheapest such one: a
 * sum, and one multiplication. The paper's is symmetric and takes four.
 */
export type Quantity = 'storedA' | 'storedB' | 'uncoupledA' | 'uncoupledB';

/** Each as a combination of (C_a, C_b). */
const ROWS: Readonly<Record<Quantity, readonly [number, number]>> = {
  storedA: [1, 0],
  storedB: [0, 1],
  uncoupledA: [1, 1],
  uncoupledB: [1, 2],
};

const rowsOf = (quantities: readonly Quantity[]): Matrix =>
  matrix(quantities.length, 2, (row, column) => ROWS[quantities[row]!][column]!);

/** How to compute some of the four from two of them: a row for each wanted, a column for each given. */
export function coupling(wanted: readonly Quantity[], given: readonly [Quantity, Quantity]): Matrix {
  return times(rowsOf(wanted), inverted(rowsOf(given)));
}

export const COPY = matrix(1, 1, () => 1);

/** Which of a and b a cell is, and which its counterpart, by their rows. */
export const asSeenFrom = (row: number, other: number): { own: 'A' | 'B'; partner: 'A' | 'B' } =>
  row < other ? { own: 'A', partner: 'B' } : { own: 'B', partner: 'A' };

export const stored = (side: 'A' | 'B'): Quantity => `stored${side}`;
export const uncoupled = (side: 'A' | 'B'): Quantity => `uncoupled${side}`;
