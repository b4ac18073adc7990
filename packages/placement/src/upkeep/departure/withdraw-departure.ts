import type { PeerId } from '@holdfast/contracts';
import { checkState, type PartitionState, senseless, type UpkeepState } from '../state.ts';
import { type CopyStep, type Step, StepWriter } from '../steps.ts';

/** How far a plan has come, by the ids of its steps. Whatever is done has begun. */
export interface Progress {
  readonly begun: ReadonlySet<number>;
  readonly done: ReadonlySet<number>;
}

export interface WithdrawalPlan {
  /** Steps of the old plan that stand: done, to be finished, or of peers that still leave. */
  readonly kept: readonly number[];
  /** Steps of the old plan that must not be begun (or gone on with) any more. */
  readonly dropped: readonly number[];
  /** What undoes the rest: the peer that stays is seen to have its shard, then the copy made of it is deleted. */
  readonly steps: readonly Step[];
}

/**
 * Takes a departure back at any point of its plan. A shard whose old holder was told to delete it has moved, and stays
 * moved (its other steps are finished); one that was being copied stays where it was; the rest never begins. No shard is without
 * its verified holder at any time. USAGE if the progress names no steps of the plan.
 * @param state as it was when the plan was made, or later
 */
export function withdrawDeparture(
  state: UpkeepState,
  request: {
    readonly plan: readonly Step[];
    readonly progress: Progress;
    readonly staying: ReadonlySet<PeerId>;
  },
): WithdrawalPlan {
  const { plan, progress, staying } = request;
  checkState(state);
  checkProgress(plan, progress);
  const partitions = new Map(state.partitions.map((partition) => [partition.id, partition]));
  const kept: number[] = [];
  const dropped: number[] = [];
  const writer = new StepWriter();
  for (const [copy, followers] of chains(plan)) {
    const released = followers.some((step) => step.kind === 'release' && hasBegun(progress, step));
    for (const step of [copy, ...followers]) {
      const stands = !staying.has(copy.from) || released || progress.done.has(step.id);
      (stands ? kept : dropped).push(step.id);
    }
    if (!staying.has(copy.from) || released || !hasBegun(progress, copy)) continue;
    writer.takeBack(shardOf(copy, partitions), copy.from, copy.to);
  }
  return { kept, dropped, steps: writer.steps };
}

const hasBegun = ({ begun, done }: Progress, { id }: Step): boolean => begun.has(id) || done.has(id);

/** Each transfer with what follows it. */
function chains(plan: readonly Step[]): Map<CopyStep, Step[]> {
  const found = new Map<CopyStep, Step[]>();
  const copyOf = new Map<number, CopyStep>();
  for (const step of plan) {
    if (step.kind === 'copy') found.set(step, []);
    const copy = step.kind === 'copy' ? step : step.after.map((id) => copyOf.get(id)).find((c) => c);
    if (!copy) throw senseless(`Step ${step.id} belongs to no transfer.`, 'plan', step.id);
    if (step !== copy) found.get(copy)!.push(step);
    copyOf.set(step.id, copy);
  }
  return found;
}

function shardOf({ partition, index }: Step, partitions: ReadonlyMap<string, PartitionState>) {
  const known = partitions.get(partition);
  if (known) return { partition: known, index };
  throw senseless(`Partition ${partition} is in the plan but not in the state.`, 'partitions', partition);
}

function checkProgress(plan: readonly Step[], { begun, done }: Progress): void {
  const ids = new Set(plan.map(({ id }) => id));
  for (const id of [...begun, ...done]) {
    if (!ids.has(id)) throw senseless(`The plan has no step ${id}.`, 'progress', id);
  }
  for (const { id, after } of plan) {
    const early = (begun.has(id) || done.has(id)) && after.find((earlier) => !done.has(earlier));
    if (early !== false && early !== undefined) {
      throw senseless(`Step ${id} was begun before step ${early} was done.`, 'progress', id);
    }
  }
}
