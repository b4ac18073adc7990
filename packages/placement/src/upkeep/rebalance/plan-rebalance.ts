import { checkState, type UpkeepState } from '../state.ts';
import type { Step } from '../steps.ts';
import { checkRebalanceSettings, defaultRebalance, type RebalanceSettings } from './bands.ts';
import { level } from './level.ts';
import { Mover, type RebalanceMove } from './mover.ts';
import { tighten } from './tighten.ts';
import { unload } from './unload.ts';

export interface RebalancePlan {
  /** `copy`, `verify`, `release` of each move. */
  readonly steps: readonly Step[];
  /** The same in short, most useful first. */
  readonly moves: readonly RebalanceMove[];
  readonly movedBytes: number;
  readonly limitBytes: number;
  /** The bound was reached: once these moves are made, there are more. */
  readonly cutOff: boolean;
  /** Some moves can be planned only when these have made room. */
  readonly waitsForRoom: boolean;
}

/**
 * Moves towards the wanted distribution after peers joined, left or changed: from overloaded peers first, then those that
 * let a partition keep a soft rule again, then those that even out the load; in rounds, until nothing is left to move or
 * the bound is reached. Each move lowers, in this order, overload, broken rules or imbalance and raises nothing that comes before;
 * so there is an end, and after a plan that was not cut off, the next is empty. USAGE for senseless input.
 */
export function planRebalance(
  state: UpkeepState,
  request: { readonly settings?: RebalanceSettings; readonly salt: Uint8Array },
): RebalancePlan {
  const { settings = defaultRebalance, salt } = request;
  checkState(state);
  checkRebalanceSettings(settings);
  const mover = new Mover(state, settings, salt);
  let before: number;
  do {
    before = mover.moves.length;
    for (const pass of [
      () => unload(mover, state, settings),
      () => tighten(mover, state),
      () => level(mover),
    ]) {
      mover.fill.settle(mover.candidates);
      pass();
    }
  } while (mover.moves.length > before && !mover.cutOff);
  const { writer, moves, movedBytes, limitBytes, cutOff, waitsForRoom } = mover;
  return { steps: writer.steps, moves, movedBytes, limitBytes, cutOff, waitsForRoom };
}
