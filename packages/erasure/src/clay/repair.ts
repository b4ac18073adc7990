import type { StridedRange } from '@holdfast/contracts';
import { checkIndices } from '../parameters.ts';
import {
  type ClayGeometry,
  type ClayShape,
  clayGeometry,
  columnOf,
  positionOf,
  rowOf,
  shardAt,
} from './geometry.ts';

/** What each helper has to send of its shard to rebuild a lost one: one byte in helpers − k + 1. CODE_PARAMETERS. */
export function repairRange(shape: ClayShape, lost: number): StridedRange {
  const geometry = clayGeometry(shape);
  checkIndices('lost', [lost], shape.k + shape.m);
  const position = positionOf(geometry, lost);
  const length = geometry.rows ** columnOf(geometry, position) * geometry.cellBytes;
  return { offset: rowOf(geometry, position) * length, length, period: geometry.rows * length };
}

/**
 * Which of the shards at hand are to help: `helpers` many, the first ones beside those that cannot be done without. Null where
 * they are too few, or one of the lost shard's column is among the missing: then k whole shards are needed. CODE_PARAMETERS.
 */
export function repairHelpers(shape: ClayShape, lost: number, available: readonly number[]): number[] | null {
  const geometry = clayGeometry(shape);
  checkIndices('lost', [lost], shape.k + shape.m);
  checkIndices('available', available, shape.k + shape.m);
  const mates = columnMates(geometry, lost);
  const others = available.filter((shard) => shard !== lost && !mates.includes(shard));
  const chosen = [...mates, ...others.slice(0, shape.helpers - mates.length)];
  const possible = mates.every((shard) => available.includes(shard)) && chosen.length === shape.helpers;
  return possible ? chosen : null;
}

/** The stored shards in the lost one's column. */
export function columnMates(geometry: ClayGeometry, lost: number): number[] {
  const { rows } = geometry;
  const first = columnOf(geometry, positionOf(geometry, lost)) * rows;
  return Array.from({ length: rows }, (_, row) => shardAt(geometry, first + row)).filter(
    (shard) => shard !== null && shard !== lost,
  ) as number[];
}
