import { MAX_STRIPE_SHARDS } from '@holdfast/contracts';
import { maximalTableBytes } from './kernel/program.ts';
import { checkShardBytes, isCount, refuse } from './parameters.ts';

export interface ArenaSize {
  /** Slots: the most shards, primary and parity, of a stripe. */
  readonly shards: number;
  /** The longest shard. */
  readonly shardBytes: number;
  /** Room for the caller's own use; default 0. */
  readonly scratchBytes?: number;
}

/** Byte offsets in the arena's memory. */
export interface ArenaLayout {
  readonly inputs: number;
  readonly outputs: number;
  readonly tables: number;
  readonly slots: number;
  readonly stride: number;
  readonly scratch: number;
  readonly pages: number;
}

export const PAGE_BYTES = 65_536;
const MAX_PAGES = 65_536;

/**
 * Empty bytes after each slot. Slots a power of two apart would fall into the same sets of the first-level cache and
 * evict each other; a page and three lines spreads them over all sets. They also are guard zones for the tests.
 */
const SLOT_GAP = 4288;

const LINE = 64;
const aligned = (offset: number): number => Math.ceil(offset / LINE) * LINE;

export function arenaLayout({ shards, shardBytes, scratchBytes = 0 }: ArenaSize): ArenaLayout {
  if (!isCount(shards, 1, MAX_STRIPE_SHARDS)) {
    refuse(`An arena has 1 to ${MAX_STRIPE_SHARDS} slots, not ${shards}.`, { shards });
  }
  checkShardBytes(shardBytes, MAX_PAGES * PAGE_BYTES);
  if (!isCount(scratchBytes, 0, MAX_PAGES * PAGE_BYTES)) {
    refuse(`An arena cannot have ${scratchBytes} scratch bytes.`, { scratchBytes });
  }
  // Address 0 stays empty, so that an address never set is not a valid one.
  const inputs = LINE;
  const outputs = aligned(inputs + 4 * Math.max(shards, 2));
  const tables = aligned(outputs + 4 * shards);
  const slots = aligned(tables + maximalTableBytes(shards));
  const stride = shardBytes + SLOT_GAP;
  const scratch = slots + shards * stride;
  const pages = Math.ceil((scratch + scratchBytes) / PAGE_BYTES);
  if (pages > MAX_PAGES) {
    refuse(`${shards} shards of ${shardBytes} bytes exceed the 4 GiB that one arena can address.`, {
      shards,
      shardBytes,
    });
  }
  return { inputs, outputs, tables, slots, stride, scratch, pages };
}
