// The same pass without SIMD, eight bytes at a time, from the same tables. For engines without SIMD, and as a second
// implementation to test the vector one against.

import { ADD, VERIFY } from './modes';

/** Multiplies eight bytes by one coefficient: per byte, the products of its low and its high nibble. */
// @ts-ignore: decorator
@inline
function product(table: usize, word: u64): u64 {
  let result: u64 = 0;
  for (let shift: u64 = 0; shift < 64; shift += 8) {
    const byte = <usize>((word >> shift) & 255);
    result |= <u64>(load<u8>(table + (byte & 15)) ^ load<u8>(table + (byte >> 4), 16)) << shift;
  }
  return result;
}

/** Parameters and result as in vector.ts. */
// @ts-ignore: decorator
@inline
export function pass(
  rows: i32,
  xorFirst: bool,
  mode: i32,
  k: i32,
  tables: usize,
  inputs: usize,
  outputs: usize,
  from: usize,
  to: usize,
): i32 {
  return rowByRow(rows, xorFirst, mode, k, tables, inputs, outputs, from, to);
}

function rowByRow(rows: i32, xorFirst: bool, mode: i32, k: i32, tables: usize, inputs: usize, outputs: usize, from: usize, to: usize): i32 {
  const tabled = rows - <i32>xorFirst;
  let difference: u64 = 0;
  for (let row = 0; row < rows; row++) {
    const isSum = xorFirst && row == 0;
    const out = <usize>load<u32>(outputs + (<usize>row << 2));
    for (let at = from; at < to; at += 8) {
      let sum: u64 = mode == ADD || mode == VERIFY ? load<u64>(out + at) : 0;
      let table = tables + <usize>((row - <i32>xorFirst) * 32);
      for (let i = 0; i < k; i++) {
        const word = load<u64>(<usize>load<u32>(inputs + (<usize>i << 2)) + at);
        sum ^= isSum ? word : product(table, word);
        table += <usize>(tabled * 32);
      }
      if (mode == VERIFY) difference |= sum;
      else store<u64>(out + at, sum);
    }
  }
  return <i32>(difference != 0);
}
