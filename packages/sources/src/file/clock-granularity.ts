import type { BigIntStats } from 'node:fs';

/**
 * File times advance in steps: up to 10 ms on Linux, 2 s on FAT. A change in the same step as an earlier one leaves no
 * trace in the times, so only times that lie this far back tell that nothing has changed since.
 */
const GRANULARITY_NS = 2_000_000_000n;

export function isSettled(
  stats: Pick<BigIntStats, 'mtimeNs' | 'ctimeNs'>,
  nowMs: number = Date.now(),
): boolean {
  const limit = BigInt(Math.floor(nowMs)) * 1_000_000n - GRANULARITY_NS;
  return stats.mtimeNs < limit && stats.ctimeNs < limit;
}
