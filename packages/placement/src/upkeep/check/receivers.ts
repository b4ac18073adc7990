import type { PeerId } from '@holdfast/contracts';
import type { UpkeepState } from '../state.ts';
import type { Step } from '../steps.ts';
import type { PlanViolation } from './violation.ts';

/**
 * Whoever gets something may get it, and has room for all that comes. What is to be deleted there makes no room: it may be
 * deleted last.
 */
export function checkReceivers(state: UpkeepState, steps: readonly Step[]): PlanViolation[] {
  const candidates = new Set(state.candidates);
  const free = new Map(state.peers.map(({ id, freeBytes }) => [id, freeBytes]));
  const sizes = new Map(state.partitions.map(({ id, shardBytes }) => [id, shardBytes]));
  const coming = new Map<PeerId, number>();
  const violations: PlanViolation[] = [];
  for (const step of steps) {
    if (step.kind !== 'copy' && step.kind !== 'make') continue;
    const { id, partition, to } = step;
    if (!candidates.has(to)) {
      const message = `Step ${id} gives a shard to ${to}, which may get none now.`;
      violations.push({ rule: 'candidate', partition, step: id, message });
      continue;
    }
    const before = coming.get(to) ?? 0;
    const measured = before + sizes.get(partition)!;
    coming.set(to, measured);
    const limit = free.get(to)!;
    if (measured <= limit) continue;
    const message = `With step ${id}, ${measured} bytes go to ${to}, which has ${limit} free.`;
    violations.push({ rule: 'room', partition, step: id, message, measured, limit });
  }
  return violations;
}
