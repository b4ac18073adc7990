import { VERIFY } from './modes';
import { work } from './work';

/** Words of a step before its addresses: mode, rows, xorFirst, k, tables, bytes, block. */
const HEAD: usize = 7;

/**
 * Takes the same steps for each of `blocks` blocks. A step is its head, then k addresses of inputs and `rows` of outputs, all
 * 32-bit words. Addresses from `shards` on are those of block 0 and move on by `blockBytes` from block to block; those below
 * stay, they are the workspace's. `inputs` and `outputs` have room for the longest lists. Gives 1 as soon as a VERIFY step met a
 * difference, else 0.
 */
export function runSchedule(
  steps: usize,
  end: usize,
  shards: u32,
  blocks: i32,
  blockBytes: u32,
  inputs: usize,
  outputs: usize,
): i32 {
  for (let block = 0; block < blocks; block++) {
    const shift = <u32>block * blockBytes;
    for (let step = steps; step < end; ) {
      const mode = load<i32>(step);
      const rows = load<i32>(step, 4);
      const k = load<i32>(step, 12);
      const addresses = step + (HEAD << 2);
      step = resolve(addresses, k, inputs, shards, shift);
      step = resolve(step, rows, outputs, shards, shift);
      const head = addresses - (HEAD << 2);
      const difference = work(
        mode,
        rows,
        load<i32>(head, 8) != 0,
        k,
        <usize>load<u32>(head, 16),
        inputs,
        outputs,
        <usize>load<u32>(head, 20),
        <usize>load<u32>(head, 24),
      );
      if (mode == VERIFY && difference != 0) return 1;
    }
  }
  return 0;
}

/** Copies a list of addresses as they are for this block. Gives what follows the list. */
// @ts-ignore: decorator
@inline
function resolve(from: usize, count: i32, to: usize, shards: u32, shift: u32): usize {
  const end = from + (<usize>count << 2);
  for (; from < end; from += 4, to += 4) {
    const address = load<u32>(from);
    store<u32>(to, address >= shards ? address + shift : address);
  }
  return end;
}
