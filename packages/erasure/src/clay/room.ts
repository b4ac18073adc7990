import type { ArenaLayout } from '../arena-layout.ts';
import { maximalTableBytes } from '../kernel/program.ts';
import { refuse } from '../parameters.ts';
import { CLAY_BLOCK_BYTES, type ClayGeometry, type ClayShape, clayGeometry } from './geometry.ts';

/** What an arena needs beside its slots to follow a Clay code's schedules. */
export interface ClayRoom {
  readonly workspaceBytes: number;
  readonly scheduleBytes: number;
  readonly tableBytes: number;
  /** The longest list of addresses. */
  readonly addresses: number;
}

/** Different couplings that one schedule can hold, two rows and two columns at most. */
const COUPLING_TABLES = 64;

/**
 * Upper bounds. In each layer, a position takes at most one step (head 7, two inputs, two outputs), the plain code one, and a
 * wanted shard one (7 + 2 + 1).
 */
export function clayRoom({ positions, layers, m }: ClayGeometry): ClayRoom {
  const words = layers * (11 * positions + 7 + positions + 10 * m);
  return {
    // One more for the difference that updates parity.
    workspaceBytes: (positions + 1) * CLAY_BLOCK_BYTES,
    scheduleBytes: 4 * words,
    tableBytes: maximalTableBytes(positions) + COUPLING_TABLES * 4 * 32,
    addresses: positions,
  };
}

/** CODE_PARAMETERS unless there is such a code, for shards of that length, and the arena has room for its schedules. */
export function checkClay(shape: ClayShape, bytes: number, arena: ArenaLayout): void {
  const room = clayRoom(clayGeometry(shape));
  const { k, m, helpers } = shape;
  if (bytes % CLAY_BLOCK_BYTES !== 0) {
    refuse(
      `Shards of ${bytes} bytes cannot be coded by a Clay code: a multiple of ${CLAY_BLOCK_BYTES} is needed.`,
      { bytes },
    );
  }
  const fits =
    room.workspaceBytes <= arena.slots - arena.workspace &&
    room.scheduleBytes <= arena.workspace - arena.schedule &&
    room.tableBytes <= arena.schedule - arena.tables &&
    4 * room.addresses <= arena.outputs - arena.inputs &&
    4 * room.addresses <= arena.tables - arena.outputs;
  if (!fits) {
    refuse(`The arena was made without room for a Clay code of ${k} + ${m} shards and ${helpers} helpers.`, {
      k,
      m,
      helpers,
    });
  }
}
