import { ADD, VERIFY } from './modes';
import { add, store, verify } from './passes';

/**
 * outputs (rows x bytes) = coefficients (rows x k) times inputs (k x bytes), over GF(2^8) with polynomial 0x11d.
 *
 * `inputs`, `outputs`: arrays of k and `rows` 32-bit addresses. `tables`: for each group of up to four rows, for each
 * input, for each row of the group, 32 bytes: the products of the coefficient with 0 ... 15 and with 0, 16 ... 240.
 * With `xorFirst` all coefficients of row 0 are 1 and it has no tables. `bytes`, `block`: multiples of 32; work goes
 * block by block so that inputs are still in a near cache when the next group of rows reads them.
 * `mode`: STORE writes outputs, ADD adds to them, VERIFY only compares and gives 1 at a difference (else 0).
 *
 * Addresses are not checked beyond WebAssembly's own bounds; StripeArena computes all of them.
 */
export function work(
  mode: i32,
  rows: i32,
  xorFirst: bool,
  k: i32,
  tables: usize,
  inputs: usize,
  outputs: usize,
  bytes: usize,
  block: usize,
): i32 {
  for (let from: usize = 0; from < bytes; from += block) {
    const to = min(from + block, bytes);
    let table = tables;
    for (let row = 0; row < rows; row += 4) {
      const group = min(rows - row, 4);
      const first = xorFirst && row == 0;
      const output = outputs + (<usize>row << 2);
      if (mode == VERIFY) {
        if (verify(group, first, k, table, inputs, output, from, to) != 0) return 1;
      } else if (mode == ADD) {
        add(group, first, k, table, inputs, output, from, to);
      } else {
        store(group, first, k, table, inputs, output, from, to);
      }
      table += <usize>((group - <i32>first) * k * 32);
    }
  }
  return 0;
}
