import { KiB, MiB } from '@holdfast/contracts';

export interface Blocking {
  /** Bytes of each shard that are worked on at a time; a multiple of 64. */
  readonly block: number;
  /** Read each block of inputs through, input by input, before working on it. */
  readonly swept: boolean;
}

/** Input bytes of a block: they stay in the second-level cache while one group of rows after the other reads them. */
const BLOCK_INPUT_BYTES = 128 * KiB;
const SMALLEST_BLOCK = 512;

/**
 * The pass reads all inputs side by side, which is more streams than a processor prefetches from far away. From five
 * inputs on, and where a stripe is too large for the near caches, reading them one after the other first was measured to
 * gain 10 to 50 %; for smaller stripes it costs up to 10 %.
 */
const MANY_INPUTS = 5;
const FAR_BYTES = 5 * MiB;

export function blocking(inputs: number, outputs: number, bytes: number): Blocking {
  return {
    block: Math.max(SMALLEST_BLOCK, Math.floor(BLOCK_INPUT_BYTES / inputs / 64) * 64),
    swept: inputs >= MANY_INPUTS && (inputs + outputs) * bytes >= FAR_BYTES,
  };
}
