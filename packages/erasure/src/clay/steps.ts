import { KernelMode } from '../kernel/kernel.ts';
import { columnsOf, type Matrix } from '../matrix.ts';
import { CLAY_BLOCK_BYTES, type ClayGeometry } from './geometry.ts';

/**
 * Where a cell lies, before any arena is known: in a shard's slot, at the current block, or in the workspace, which has one
 * block for each position of the grid and holds uncoupled cells.
 */
export type Place = number;

const IN_SHARD = 2 ** 31;

export const shardPlace = (shard: number, offset: number): Place =>
  IN_SHARD + shard * CLAY_BLOCK_BYTES + offset;
export const workPlace = (position: number, offset: number): Place => position * CLAY_BLOCK_BYTES + offset;

export interface PlaceBases {
  /** Address of a shard's slot, current block 0. */
  readonly shard: (index: number) => number;
  readonly workspace: number;
}

export function resolvePlace(place: Place, { shard, workspace }: PlaceBases): number {
  if (place < IN_SHARD) return workspace + place;
  const index = Math.floor((place - IN_SHARD) / CLAY_BLOCK_BYTES);
  return shard(index) + ((place - IN_SHARD) % CLAY_BLOCK_BYTES);
}

/** outputs = coefficients × inputs, over a run of bytes. */
export interface Step {
  readonly mode: KernelMode;
  readonly coefficients: Matrix;
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
  readonly bytes: number;
}

/** What is done to one block of a stripe; the same steps for each block. */
export class StepList {
  readonly steps: Step[] = [];
  readonly #cellBytes: number;

  constructor({ cellBytes }: ClayGeometry) {
    this.#cellBytes = cellBytes;
  }

  /**
   * An input of `null` is known to be zero. Where all are, nothing is done: outputs are in the workspace, which is cleared
   * before a list's first block, and no step of the list ever writes there.
   */
  add(
    coefficients: Matrix,
    inputs: readonly (Place | null)[],
    outputs: readonly Place[],
    cells: number,
    mode: KernelMode = KernelMode.store,
  ): void {
    const used = inputs.flatMap((place, column) => (place === null ? [] : [column]));
    if (used.length === 0 || outputs.length === 0) return;
    this.steps.push({
      mode,
      coefficients: used.length === inputs.length ? coefficients : columnsOf(coefficients, used),
      inputs: used.map((column) => inputs[column]!),
      outputs,
      bytes: cells * this.#cellBytes,
    });
  }
}
