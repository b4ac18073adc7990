// One pass over a range of columns: every input is read once and up to four outputs are made, 32 bytes at a time, with
// all accumulators in registers. 4 outputs x 32 bytes is the widest shape that fits the sixteen registers of x64 (8
// accumulators, 4 nibble vectors, a table and a product, mask, and the one that V8 keeps for itself). So each lookup is
// added at once: two tables or two products at a time would not fit. See docs/specs/erasure.md.

import { ADD, VERIFY } from './modes';

// @ts-ignore: decorator
@inline
function swizzle(table: v128, index: v128): v128 {
  // All indices are below 16, where relaxed and strict swizzle agree; the strict one costs an extra instruction on x64.
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(table, index) : i8x16.swizzle(table, index);
}

/**
 * `rows` (1 ... 4), `xorFirst` and `mode` are constants at every call, so that each caller becomes a loop of its own.
 * With `xorFirst` the first output is the plain sum of the inputs and has no table.
 * Gives 1 when VERIFY met a difference, else 0.
 */
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
  // Always 15. A constant would be made anew at each of its four uses in the loop, since V8 13.6 keeps none in registers:
  // twelve more instructions for every 32 bytes, some on the ports that shuffle.
  const mask = i8x16.splat(k > 0 ? 15 : 0);
  const skip: i32 = xorFirst ? 1 : 0;
  const entry: usize = (rows - skip) * 32;
  const inputsEnd = inputs + (<usize>k << 2);
  const out0 = <usize>load<u32>(outputs);
  const out1 = rows > 1 ? <usize>load<u32>(outputs, 4) : 0;
  const out2 = rows > 2 ? <usize>load<u32>(outputs, 8) : 0;
  const out3 = rows > 3 ? <usize>load<u32>(outputs, 12) : 0;
  const keep = mode == ADD || mode == VERIFY;
  let difference = i64x2.splat(0);

  for (let at = from; at < to; at += 32) {
    let a0 = keep ? v128.load(out0 + at) : i64x2.splat(0);
    let b0 = keep ? v128.load(out0 + at, 16) : i64x2.splat(0);
    let a1 = i64x2.splat(0), b1 = i64x2.splat(0);
    let a2 = i64x2.splat(0), b2 = i64x2.splat(0);
    let a3 = i64x2.splat(0), b3 = i64x2.splat(0);
    if (keep && rows > 1) { a1 = v128.load(out1 + at); b1 = v128.load(out1 + at, 16); }
    if (keep && rows > 2) { a2 = v128.load(out2 + at); b2 = v128.load(out2 + at, 16); }
    if (keep && rows > 3) { a3 = v128.load(out3 + at); b3 = v128.load(out3 + at, 16); }

    let table = tables - <usize>(skip * 32);
    for (let input = inputs; input < inputsEnd; input += 4) {
      const address = <usize>load<u32>(input) + at;
      const a = v128.load(address);
      const b = v128.load(address, 16);
      if (xorFirst) {
        a0 = v128.xor(a0, a);
        b0 = v128.xor(b0, b);
      }
      if (rows > skip) {
        // A byte holds two nibbles; shifting 64-bit lanes and masking is one instruction less than shifting bytes.
        const aLow = v128.and(a, mask);
        const bLow = v128.and(b, mask);
        const aHigh = v128.and(i64x2.shr_u(a, 4), mask);
        const bHigh = v128.and(i64x2.shr_u(b, 4), mask);
        if (!xorFirst) {
          const l = v128.load(table, 0);
          a0 = v128.xor(a0, swizzle(l, aLow));
          b0 = v128.xor(b0, swizzle(l, bLow));
          const h = v128.load(table, 16);
          a0 = v128.xor(a0, swizzle(h, aHigh));
          b0 = v128.xor(b0, swizzle(h, bHigh));
        }
        if (rows > 1) {
          const l = v128.load(table, 32);
          a1 = v128.xor(a1, swizzle(l, aLow));
          b1 = v128.xor(b1, swizzle(l, bLow));
          const h = v128.load(table, 48);
          a1 = v128.xor(a1, swizzle(h, aHigh));
          b1 = v128.xor(b1, swizzle(h, bHigh));
        }
        if (rows > 2) {
          const l = v128.load(table, 64);
          a2 = v128.xor(a2, swizzle(l, aLow));
          b2 = v128.xor(b2, swizzle(l, bLow));
          const h = v128.load(table, 80);
          a2 = v128.xor(a2, swizzle(h, aHigh));
          b2 = v128.xor(b2, swizzle(h, bHigh));
        }
        if (rows > 3) {
          const l = v128.load(table, 96);
          a3 = v128.xor(a3, swizzle(l, aLow));
          b3 = v128.xor(b3, swizzle(l, bLow));
          const h = v128.load(table, 112);
          a3 = v128.xor(a3, swizzle(h, aHigh));
          b3 = v128.xor(b3, swizzle(h, bHigh));
        }
        table += entry;
      }
    }

    if (mode == VERIFY) {
      difference = v128.or(difference, v128.or(a0, b0));
      if (rows > 1) difference = v128.or(difference, v128.or(a1, b1));
      if (rows > 2) difference = v128.or(difference, v128.or(a2, b2));
      if (rows > 3) difference = v128.or(difference, v128.or(a3, b3));
    } else {
      v128.store(out0 + at, a0);
      v128.store(out0 + at, b0, 16);
      if (rows > 1) { v128.store(out1 + at, a1); v128.store(out1 + at, b1, 16); }
      if (rows > 2) { v128.store(out2 + at, a2); v128.store(out2 + at, b2, 16); }
      if (rows > 3) { v128.store(out3 + at, a3); v128.store(out3 + at, b3, 16); }
    }
  }
  return mode == VERIFY ? <i32>v128.any_true(difference) : 0;
}
