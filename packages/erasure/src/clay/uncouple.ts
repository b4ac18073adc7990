import { decodeRecipe } from '../decode-matrix.ts';
import { columnsOf } from '../matrix.ts';
import { COPY, coupling } from './coupling.ts';
import { type ClayGeometry, columnOf, digit, rowOf } from './geometry.ts';
import { layerWithDigit, type Run, runsOf, runsOfDigit } from './runs.ts';
import { type Place, type StepList, workPlace } from './steps.ts';
import type { StoredCells } from './stored-cells.ts';

/** What is at hand of a stripe, by positions of the grid. */
export interface Known {
  /** Positions whose uncoupled cells only the plain code can give; at most m. */
  readonly unknown: ReadonlySet<number>;
  readonly stored: StoredCells;
  /** Positions outside `unknown` that are all zeros. */
  readonly zero: ReadonlySet<number>;
  /** Which layers are worked on. With a layer, all that differ from it in the digit of a column without unknowns. */
  readonly includes: (layer: number) => boolean;
}

/**
 * Steps that leave all uncoupled cells of the layers in the workspace: "Clay Codes", §3 (decoding). In each layer the uncoupled
 * cells of all positions are one word of the plain code. Those of the positions at hand follow from stored cells, or, where
 * the counterpart's stored cell is unknown, from its uncoupled cell, which belongs to a layer with one unknown dot less. So
 * layers are worked on in the order of their number of unknown dots, a dot being the row of a column that the layer's digit names.
 */
export function uncouple(list: StepList, geometry: ClayGeometry, known: Known): void {
  const unknownDots = (layer: number): number =>
    [...known.unknown].filter(
      (position) => digit(geometry, layer, columnOf(geometry, position)) === rowOf(geometry, position),
    ).length;
  const dots = Array.from({ length: geometry.layers }, (_, layer) =>
    known.includes(layer) ? unknownDots(layer) : -1,
  );
  const solve = plainCode(geometry, known);
  for (const count of [...new Set(dots)].filter((dot) => dot >= 0).sort((a, b) => a - b)) {
    const holds = (layer: number): boolean => dots[layer] === count;
    for (let position = 0; position < geometry.positions; position++) {
      if (!known.unknown.has(position)) uncouplePosition(list, geometry, known, position, holds);
    }
    for (const run of runsOf(geometry, holds)) solve(list, run);
  }
}

function uncouplePosition(
  list: StepList,
  geometry: ClayGeometry,
  known: Known,
  position: number,
  holds: (layer: number) => boolean,
): void {
  const { cellBytes, rows } = geometry;
  const [column, row] = [columnOf(geometry, position), rowOf(geometry, position)];
  for (let value = 0; value < rows; value++) {
    const partner = column * rows + value;
    const partnerKnown = !known.unknown.has(partner);
    // A pair at hand is done once, from its lower row.
    if (value < row && partnerKnown) continue;
    for (const { start, length } of runsOfDigit(geometry, column, value, holds)) {
      const stored = known.stored(position, start);
      const own = workPlace(position, start * cellBytes);
      const across = layerWithDigit(geometry, start, column, row);
      const other = workPlace(partner, across * cellBytes);
      if (value === row) {
        list.add(COPY, [stored], [own], length);
      } else if (partnerKnown) {
        list.add(UNCOUPLE_BOTH, [stored, known.stored(partner, across)], [own, other], length);
      } else {
        list.add(value > row ? UNCOUPLE_A : UNCOUPLE_B, [stored, other], [own], length);
      }
    }
  }
}

const UNCOUPLE_BOTH = coupling(['uncoupledA', 'uncoupledB'], ['storedA', 'storedB']);
const UNCOUPLE_A = coupling(['uncoupledA'], ['storedA', 'uncoupledB']);
const UNCOUPLE_B = coupling(['uncoupledB'], ['storedB', 'uncoupledA']);

/** Solves layers for the unknown positions by the plain Reed–Solomon code over the grid. */
function plainCode(geometry: ClayGeometry, known: Known): (list: StepList, run: Run) => void {
  const { parityFrom, positions, cellBytes } = geometry;
  const unknown = [...known.unknown];
  const present = Array.from({ length: positions }, (_, position) => position).filter(
    (position) => !known.unknown.has(position),
  );
  const recipe = decodeRecipe(parityFrom, present, unknown);
  // A column without anything but zeros is zero uncoupled too.
  const used = recipe.inputs.flatMap((position, at) => (isZeroColumn(geometry, known, position) ? [] : [at]));
  const coefficients = columnsOf(recipe.coefficients, used);
  return (list, { start, length }) => {
    const place = (position: number): Place => workPlace(position, start * cellBytes);
    const inputs = used.map((at) => place(recipe.inputs[at]!));
    list.add(coefficients, inputs, recipe.outputs.map(place), length);
  };
}

function isZeroColumn({ rows }: ClayGeometry, { zero }: Known, position: number): boolean {
  const first = position - (position % rows);
  return Array.from({ length: rows }, (_, row) => first + row).every((member) => zero.has(member));
}
