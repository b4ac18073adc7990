// Chooses the loop for a group of rows. `pass` is inlined with its first three arguments constant: a loop per case.

import { ADD, STORE, VERIFY } from './modes';
import { pass as scalarPass } from './scalar';
import { pass as vectorPass } from './vector';

// @ts-ignore: decorator
@inline
function pass(rows: i32, xorFirst: bool, mode: i32, k: i32, tables: usize, inputs: usize, outputs: usize, from: usize, to: usize): i32 {
  return ASC_FEATURE_SIMD
    ? vectorPass(rows, xorFirst, mode, k, tables, inputs, outputs, from, to)
    : scalarPass(rows, xorFirst, mode, k, tables, inputs, outputs, from, to);
}

// @ts-ignore: decorator
@inline
function passOf(mode: i32, rows: i32, xorFirst: bool, k: i32, tables: usize, inputs: usize, outputs: usize, from: usize, to: usize): i32 {
  if (xorFirst) {
    if (rows == 1) return pass(1, true, mode, k, tables, inputs, outputs, from, to);
    if (rows == 2) return pass(2, true, mode, k, tables, inputs, outputs, from, to);
    if (rows == 3) return pass(3, true, mode, k, tables, inputs, outputs, from, to);
    return pass(4, true, mode, k, tables, inputs, outputs, from, to);
  }
  if (rows == 1) return pass(1, false, mode, k, tables, inputs, outputs, from, to);
  if (rows == 2) return pass(2, false, mode, k, tables, inputs, outputs, from, to);
  if (rows == 3) return pass(3, false, mode, k, tables, inputs, outputs, from, to);
  return pass(4, false, mode, k, tables, inputs, outputs, from, to);
}

export function store(rows: i32, xorFirst: bool, k: i32, tables: usize, inputs: usize, outputs: usize, from: usize, to: usize): i32 {
  return passOf(STORE, rows, xorFirst, k, tables, inputs, outputs, from, to);
}

export function add(rows: i32, xorFirst: bool, k: i32, tables: usize, inputs: usize, outputs: usize, from: usize, to: usize): i32 {
  return passOf(ADD, rows, xorFirst, k, tables, inputs, outputs, from, to);
}

export function verify(rows: i32, xorFirst: bool, k: i32, tables: usize, inputs: usize, outputs: usize, from: usize, to: usize): i32 {
  return passOf(VERIFY, rows, xorFirst, k, tables, inputs, outputs, from, to);
}
