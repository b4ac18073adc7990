import { KernelMode } from '../kernel/kernel.ts';
import { matrix } from '../matrix.ts';
import { couple } from './couple.ts';
import { type ClayGeometry, positionOf, virtualPositions } from './geometry.ts';
import { type Step, StepList, shardPlace, workPlace } from './steps.ts';
import { storedCells } from './stored-cells.ts';
import { uncouple } from './uncouple.ts';

export interface DecodeRequest {
  /** Shards at hand, at least k. */
  readonly present: readonly number[];
  readonly wanted: readonly number[];
  /** What to do with what is computed. */
  readonly mode: KernelMode;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Any shards from any k others. With the primaries present and all parity wanted, this is encoding. */
export function decodeSteps(geometry: ClayGeometry, { present, wanted, mode }: DecodeRequest): Step[] {
  const { k, m } = geometry;
  const missing = range(0, k + m).filter((shard) => !present.includes(shard));
  const unknown = new Set(missing.map((shard) => positionOf(geometry, shard)));
  const zero = new Set(virtualPositions(geometry));
  const stored = storedCells(geometry, zero);
  const list = new StepList(geometry);
  uncouple(list, geometry, { unknown, stored, zero, includes: () => true });
  for (const shard of wanted) couple(list, geometry, { shard, unknown, stored, mode });
  return list.steps;
}

const SUM = matrix(1, 2, () => 1);

/**
 * Adds to parity what follows from a change of one primary: the code is linear, so that is the parity of the difference with
 * all other primaries zero. The old content is in slot k + m, as it were; the difference goes into the workspace, behind all
 * positions.
 */
export function updateSteps(geometry: ClayGeometry, primary: number): Step[] {
  const { k, m, parityFrom, positions, layers } = geometry;
  const unknown = new Set(range(parityFrom, positions));
  const zero = new Set(range(0, parityFrom).filter((position) => position !== primary));
  const stored = storedCells(geometry, zero, (_, offset) => workPlace(positions, offset));
  const list = new StepList(geometry);
  list.add(SUM, [shardPlace(primary, 0), shardPlace(k + m, 0)], [workPlace(positions, 0)], layers);
  uncouple(list, geometry, { unknown, stored, zero, includes: () => true });
  for (const shard of range(k, k + m))
    couple(list, geometry, { shard, unknown, stored, mode: KernelMode.add });
  return list.steps;
}
