import { copyInto } from './copy-into.ts';

/** Shorter parts would be more of them than a peer should have to copy one by one. */
export const MIN_PART_BYTES = 64;

/** Bytes `offset + i × period` … `+ length − 1` of a shard, for every i for which they lie within it; 64 ≤ length ≤ period. */
export interface StridedRange {
  readonly offset: number;
  readonly length: number;
  readonly period: number;
}

/** Whether the range is one, and gives something of a shard of `bytes` bytes. */
export function isStridedRange({ offset, length, period }: StridedRange, bytes: number): boolean {
  const whole = [offset, length, period].every((value) => Number.isSafeInteger(value) && value >= 0);
  return whole && length >= MIN_PART_BYTES && length <= period && offset + length <= bytes;
}

/** How many parts there are in `bytes` bytes. */
export const partsOf = ({ offset, length, period }: StridedRange, bytes: number): number =>
  Math.floor((bytes - offset - length) / period) + 1;

/** Moves the parts to the start of `bytes`, one after the other. How many bytes they are. */
export function gatherParts(bytes: Uint8Array, range: StridedRange): number {
  const { offset, length, period } = range;
  const parts = partsOf(range, bytes.length);
  for (let part = 0; part < parts; part++) {
    const from = offset + part * period;
    bytes.copyWithin(part * length, from, from + length);
  }
  return parts * length;
}

/** Puts parts that lie one after the other where they belong in a shard, which may lie in shared memory. */
export function scatterParts(parts: Uint8Array, range: StridedRange, shard: Uint8Array): void {
  const { offset, length, period } = range;
  for (let at = 0, to = offset; at < parts.length; at += length, to += period) {
    copyInto(shard, to, parts.subarray(at, at + length));
  }
}
