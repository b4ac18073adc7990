import { type ClayGeometry, shardAt } from './geometry.ts';
import { type Place, shardPlace } from './steps.ts';

/** Where a stored cell lies; null when it is known to be zero. */
export type StoredCells = (position: number, layer: number) => Place | null;

/**
 * @param zero positions that are zero throughout.
 * @param place of a byte of another position's current block; default: in its shard's slot.
 */
export function storedCells(
  geometry: ClayGeometry,
  zero: ReadonlySet<number>,
  place: (position: number, offset: number) => Place = (position, offset) =>
    shardPlace(shardAt(geometry, position)!, offset),
): StoredCells {
  return (position, layer) => (zero.has(position) ? null : place(position, layer * geometry.cellBytes));
}
