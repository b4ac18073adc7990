import type { PartitionState } from '../state.ts';
import type { Step } from '../steps.ts';
import { MAX_STEPS_PER_SHARD, type PlanViolation } from './violation.ts';

/** The steps of one partition, with everything that must be done before each. */
export interface PartitionSteps {
  readonly partition: PartitionState;
  readonly steps: readonly Step[];
  readonly before: ReadonlyMap<number, ReadonlySet<number>>;
}

/** Sorts a plan by partition and completes its order; or says why it is none. */
export function readPlan(
  partitions: readonly PartitionState[],
  steps: readonly Step[],
): { readonly parts: readonly PartitionSteps[]; readonly malformed: readonly PlanViolation[] } {
  const states = new Map(partitions.map((partition) => [partition.id, partition]));
  const byId = new Map(steps.map((step) => [step.id, step]));
  const malformed: PlanViolation[] = [];
  const say = (step: Step, message: string): void => {
    malformed.push({ rule: 'malformed', partition: step.partition, step: step.id, message });
  };
  if (byId.size < steps.length) {
    const twice = steps.find((step) => byId.get(step.id) !== step)!;
    say(twice, `Two steps have the id ${twice.id}.`);
  }
  for (const step of steps) {
    const problem = problemWith(step, states.get(step.partition), byId);
    if (problem !== null) say(step, problem);
  }
  if (malformed.length > 0) return { parts: [], malformed };
  const parts = [...Map.groupBy(steps, (step) => step.partition)].map(([id, own]) => {
    const before = closure(own);
    const circle = own.find((step) => before.get(step.id)!.has(step.id));
    if (circle) say(circle, `Step ${circle.id} waits for itself.`);
    return { partition: states.get(id)!, steps: own, before };
  });
  for (const own of Map.groupBy(steps, (step) => `${step.partition} ${step.index}`).values()) {
    if (own.length <= MAX_STEPS_PER_SHARD) continue;
    say(
      own[0]!,
      `${own.length} steps for shard ${own[0]!.index}; at most ${MAX_STEPS_PER_SHARD} are checked.`,
    );
  }
  return malformed.length > 0 ? { parts: [], malformed } : { parts, malformed };
}

function problemWith(
  step: Step,
  partition: PartitionState | undefined,
  byId: ReadonlyMap<number, Step>,
): string | null {
  if (!partition) return `Step ${step.id} is about a partition that is not in the state.`;
  const { holders, hashes } = partition;
  if (!(Number.isInteger(step.index) && step.index >= 0 && step.index < holders.length)) {
    return `Step ${step.id} is about shard ${step.index} of ${holders.length}.`;
  }
  if (step.kind === 'verify' && step.hash !== hashes[step.index]) {
    return `Step ${step.id} verifies another hash than that of shard ${step.index}.`;
  }
  for (const id of step.after) {
    if (byId.get(id)?.partition !== step.partition) {
      return `Step ${step.id} waits for step ${id}, which is none of its partition.`;
    }
  }
  return null;
}

/** All that must be done before each step, directly or not. A step of a circle is before itself. */
function closure(steps: readonly Step[]): Map<number, Set<number>> {
  const after = new Map(steps.map((step) => [step.id, step.after]));
  const all = new Map<number, Set<number>>();
  for (const { id } of steps) {
    const found = new Set<number>();
    const open = [...after.get(id)!];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(...after.get(next)!);
    }
    all.set(id, found);
  }
  return all;
}
