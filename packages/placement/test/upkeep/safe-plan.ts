import { checkPlan, execute, type Step, type UpkeepState } from '@holdfast/placement/upkeep';
import { expect } from 'vitest';
import { faultsOnTheWay, someOrder } from './naive-run.ts';
import type { Dice } from './random-state.ts';

/** That a planner's plan is safe: says the checker, and so say some random orders of it, judged after every step. */
export function expectSafe(state: UpkeepState, steps: readonly Step[], dice: Dice): void {
  expect(checkPlan(state, steps)).toEqual([]);
  expect(steps.map(({ id }) => id)).toEqual(steps.map((_, i) => i));
  for (let round = 0; round < 2; round++) {
    const order = someOrder(steps, dice);
    const faults = faultsOnTheWay(state, order.slice(0, 200));
    expect([...faults]).toEqual([]);
    // Wherever it stops, what is left is a state to plan on from.
    const stopped = execute(state, order.slice(0, dice.whole(0, order.length)));
    expect(checkPlan(stopped, [])).toEqual([]);
  }
  expect(JSON.parse(JSON.stringify(steps))).toEqual(steps);
}

/** Indices of a partition's shards that can be had. */
export const reachableIn = (state: UpkeepState): Map<string, number[]> => {
  const away = new Set(state.outages.map(({ peer }) => peer));
  return new Map(
    state.partitions.map(({ id, holders }) => [
      id,
      holders.flatMap((peer, index) => (peer === null || away.has(peer) ? [] : [index])),
    ]),
  );
};
