import { asSeenFrom, COPY, coupling, stored, uncoupled } from './coupling.ts';
import { type ClayGeometry, columnOf, digit, positionOf, rowOf, virtualPositions } from './geometry.ts';
import { layerWithDigit, runsOfDigit } from './runs.ts';
import { type Step, StepList, shardPlace, workPlace } from './steps.ts';
import { storedCells } from './stored-cells.ts';
import { uncouple } from './uncouple.ts';

/**
 * One lost shard from the helpers' cells in the layers whose digit for the lost one's column is its row: "Clay Codes", §4
 * (repair). In these layers the lost shard is the dot, so its uncoupled cells are stored ones; its cells in all other layers
 * are the counterparts of its column's other cells in these layers.
 */
export function repairSteps(geometry: ClayGeometry, lost: number, helpers: readonly number[]): Step[] {
  const { rows, positions, cellBytes } = geometry;
  const position = positionOf(geometry, lost);
  const [column, row] = [columnOf(geometry, position), rowOf(geometry, position)];
  const zero = new Set(virtualPositions(geometry));
  const helping = new Set([...helpers.map((shard) => positionOf(geometry, shard)), ...zero]);
  const unknown = Array.from({ length: positions }, (_, other) => other).filter(
    (other) => columnOf(geometry, other) === column || !helping.has(other),
  );
  const includes = (layer: number): boolean => digit(geometry, layer, column) === row;
  const storedPlace = storedCells(geometry, zero);
  const list = new StepList(geometry);
  uncouple(list, geometry, { unknown: new Set(unknown), stored: storedPlace, zero, includes });
  for (let value = 0; value < rows; value++) {
    const mate = column * rows + value;
    const { own, partner } = asSeenFrom(row, value);
    for (const { start, length } of runsOfDigit(geometry, column, row, includes)) {
      const solved = workPlace(mate, start * cellBytes);
      const output = shardPlace(lost, layerWithDigit(geometry, start, column, value) * cellBytes);
      if (value === row) list.add(COPY, [solved], [output], length);
      else {
        const solve = coupling([stored(own)], [uncoupled(partner), stored(partner)]);
        list.add(solve, [solved, storedPlace(mate, start)], [output], length);
      }
    }
  }
  return list.steps;
}
