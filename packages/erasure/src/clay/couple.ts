import type { KernelMode } from '../kernel/kernel.ts';
import type { Matrix } from '../matrix.ts';
import { asSeenFrom, COPY, coupling, stored, uncoupled } from './coupling.ts';
import { type ClayGeometry, columnOf, positionOf, rowOf } from './geometry.ts';
import { layerWithDigit, runsOfDigit } from './runs.ts';
import { type StepList, shardPlace, workPlace } from './steps.ts';
import type { StoredCells } from './stored-cells.ts';

export interface CoupleRequest {
  /** To be computed. */
  readonly shard: number;
  /** Positions without stored cells, the shard's own among them. */
  readonly unknown: ReadonlySet<number>;
  readonly stored: StoredCells;
  readonly mode: KernelMode;
}

/** Steps that give a shard's stored cells, all layers being uncoupled in the workspace. */
export function couple(list: StepList, geometry: ClayGeometry, request: CoupleRequest): void {
  const { rows, cellBytes } = geometry;
  const { shard, unknown, mode } = request;
  const position = positionOf(geometry, shard);
  const [column, row] = [columnOf(geometry, position), rowOf(geometry, position)];
  for (let value = 0; value < rows; value++) {
    const partner = column * rows + value;
    const solve = coupleFrom(row, value, unknown.has(partner));
    for (const { start, length } of runsOfDigit(geometry, column, value, () => true)) {
      const output = shardPlace(shard, start * cellBytes);
      const own = workPlace(position, start * cellBytes);
      if (value === row) {
        list.add(COPY, [own], [output], length, mode);
        continue;
      }
      const across = layerWithDigit(geometry, start, column, row);
      const other = unknown.has(partner)
        ? workPlace(partner, across * cellBytes)
        : request.stored(partner, across);
      list.add(solve, [own, other], [output], length, mode);
    }
  }
}

function coupleFrom(row: number, partnerRow: number, partnerUnknown: boolean): Matrix {
  const { own, partner } = asSeenFrom(row, partnerRow);
  return coupling([stored(own)], [uncoupled(own), partnerUnknown ? uncoupled(partner) : stored(partner)]);
}
