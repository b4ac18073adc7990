import { MAX_STRIPE_SHARDS } from '@holdfast/contracts';
import { type ClayShape, clayGeometry } from './clay/geometry.ts';
import { type ClayRoom, clayRoom } from './clay/room.ts';
import { maximalTableBytes } from './kernel/program.ts';
import { checkShardBytes, isCount, refuse } from './parameters.ts';

export interface ArenaSize {
  /** Slots: the most shards, primary and parity, of a stripe. */
  readonly shards: number;
  /** The longest shard. */
  readonly shardBytes: number;
  /** Room for the caller's own use; default 0. */
  readonly scratchBytes?: number;
  /** For stripes of this Clay code too, not only for plain Reed–Solomon. */
  readonly clay?: ClayShape;
}

/** Byte offsets in the arena's memory. */
export interface ArenaLayout {
  readonly inputs: number;
  readonly outputs: number;
  readonly tables: number;
  /** A Clay code's schedule, and where its uncoupled cells go; both empty without one. */
  readonly schedule: number;
  readonly workspace: number;
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

/** Of memory. */
export const arenaBytes = (size: ArenaSize): number => arenaLayout(size).pages * PAGE_BYTES;

const NO_ROOM: ClayRoom = { workspaceBytes: 0, scheduleBytes: 0, tableBytes: 0, addresses: 0 };

export function arenaLayout({ shards, shardBytes, scratchBytes = 0, clay }: ArenaSize): ArenaLayout {
  if (!isCount(shards, 1, MAX_STRIPE_SHARDS)) {
    refuse(`An arena has 1 to ${MAX_STRIPE_SHARDS} slots, not ${shards}.`, { shards });
  }
  checkShardBytes(shardBytes, MAX_PAGES * PAGE_BYTES);
  if (!isCount(scratchBytes, 0, MAX_PAGES * PAGE_BYTES)) {
    refuse(`An arena cannot have ${scratchBytes} scratch bytes.`, { scratchBytes });
  }
  const room = clay ? clayRoom(clayGeometry(clay)) : NO_ROOM;
  // Address 0 stays empty, so that an address never set is not a valid one.
  const inputs = LINE;
  const outputs = aligned(inputs + 4 * Math.max(shards, room.addresses, 2));
  const tables = aligned(outputs + 4 * Math.max(shards, room.addresses));
  const schedule = aligned(tables + Math.max(maximalTableBytes(shards), room.tableBytes));
  const workspace = aligned(schedule + room.scheduleBytes);
  const slots = workspace + room.workspaceBytes;
  const stride = shardBytes + SLOT_GAP;
  const scratch = slots + shards * stride;
  const pages = Math.ceil((scratch + scratchBytes) / PAGE_BYTES);
  if (pages > MAX_PAGES) {
    refuse(`${shards} shards of ${shardBytes} bytes exceed the 4 GiB that one arena can address.`, {
      shards,
      shardBytes,
    });
  }
  return { inputs, outputs, tables, schedule, workspace, slots, stride, scratch, pages };
}
