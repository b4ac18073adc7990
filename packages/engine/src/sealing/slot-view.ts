import type { ArenaReference } from './protocol.ts';

/** A shard as it lies in its arena. */
export const slotView = (arena: ArenaReference, index: number, bytes: number): Uint8Array =>
  Buffer.from(arena.memory, arena.slots[index]!, bytes);
