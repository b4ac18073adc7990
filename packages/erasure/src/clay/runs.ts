import { type ClayGeometry, digit } from './geometry.ts';

/** Layers that follow one another. */
export interface Run {
  readonly start: number;
  readonly length: number;
}

/** The longest runs of layers that `holds`. */
export function runsOf({ layers }: ClayGeometry, holds: (layer: number) => boolean): Run[] {
  return runsWithin({ start: 0, length: layers }, holds);
}

/** The longest runs of layers with a certain digit for a column that `holds`. */
export function runsOfDigit(
  geometry: ClayGeometry,
  column: number,
  value: number,
  holds: (layer: number) => boolean,
): Run[] {
  const length = geometry.rows ** column;
  const runs: Run[] = [];
  for (let start = value * length; start < geometry.layers; start += length * geometry.rows) {
    runs.push(...runsWithin({ start, length }, holds));
  }
  return runs;
}

/** The layer that differs in one column's digit only. */
export const layerWithDigit = (
  geometry: ClayGeometry,
  layer: number,
  column: number,
  value: number,
): number => layer + (value - digit(geometry, layer, column)) * geometry.rows ** column;

function runsWithin({ start, length }: Run, holds: (layer: number) => boolean): Run[] {
  const runs: Run[] = [];
  for (let at = start; at < start + length; ) {
    if (!holds(at)) {
      at++;
      continue;
    }
    const from = at;
    while (at < start + length && holds(at)) at++;
    runs.push({ start: from, length: at - from });
  }
  return runs;
}
