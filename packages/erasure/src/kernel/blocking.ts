import { KiB } from '@holdfast/contracts';

/** Input bytes of a block: they stay in the second-level cache while one group of rows after the other reads them. */
const BLOCK_INPUT_BYTES = 128 * KiB;
const SMALLEST_BLOCK = 512;

/** Bytes of each of so many inputs that are worked on at a time; a multiple of 64. */
export const blockBytes = (inputs: number): number =>
  Math.max(SMALLEST_BLOCK, Math.floor(BLOCK_INPUT_BYTES / inputs / 64) * 64);
