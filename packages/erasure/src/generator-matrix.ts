import { MAX_STRIPE_SHARDS } from '@holdfast/contracts';
import { inverse, multiply } from './galois-field.ts';
import { type Matrix, matrix } from './matrix.ts';

/**
 * The coefficient of primary `primary` in parity `parity` (both from 0), the same in every shape k+m: parity shards
 * made for one m stay valid when m grows. Fixed for ever: stored shards depend on it.
 *
 * Source: Cauchy matrix 1/(x_j + y_i) with x_j = 255 − j and y_i = i, which are distinct as long as k + m ≤ 256; then
 * every row and column is scaled so that row 0 and column 0 become 1. Scaling keeps every square part invertible, so
 * the code stays MDS, and parity 0 is the plain XOR of the primaries. docs/specs/erasure.md has the argument.
 */
export function coefficient(parity: number, primary: number): number {
  const x = MAX_STRIPE_SHARDS - parity;
  const unscaled = inverse(x ^ primary);
  const rowScale = x;
  const columnScale = multiply(MAX_STRIPE_SHARDS ^ primary, inverse(MAX_STRIPE_SHARDS));
  return multiply(unscaled, multiply(rowScale, columnScale));
}

/** The rows of some parity shards restricted to some primaries. Indices from 0 in each. */
export function parityRows(parities: readonly number[], primaries: readonly number[]): Matrix {
  return matrix(parities.length, primaries.length, (row, column) =>
    coefficient(parities[row]!, primaries[column]!),
  );
}
