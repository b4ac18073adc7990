import type { PeerId } from '@holdfast/contracts';
import type { PartitionState, UpkeepState } from '../state.ts';
import type { Step } from '../steps.ts';
import type { PlanViolation } from './violation.ts';

/** For whom a shard of which partition is known, or may be known. */
interface Known {
  readonly peer: PeerId;
  readonly index: number;
}

type Arrival = Extract<Step, { kind: 'copy' | 'make' }>;

const isArrival = (step: Step): step is Arrival => step.kind === 'copy' || step.kind === 'make';

const HOUR_MS = 3_600_000;

/**
 * What anybody learns. Nothing that a plan does makes anybody forget within T windows, so the worst state is the last one,
 * with all that was ever sent: if it keeps the rules, so does every state on the way, and it can be reached itself.
 * A fault of the beginning is none of the plan's; making it worse is.
 */
export function checkAdversaries(state: UpkeepState, steps: readonly Step[]): PlanViolation[] {
  const arrivals = Map.groupBy(steps.filter(isArrival), (step) => step.partition);
  const partitions = state.partitions.filter(({ id }) => arrivals.has(id));
  const violations = partitions.flatMap((partition) => {
    const coming = arrivals.get(partition.id)!;
    const start = knownOf(partition, state);
    return [
      ...separation(partition, start, coming),
      ...collusion(partition, start, coming, state, 'operator-limit'),
      ...collusion(partition, start, coming, state, 'failure-domain-limit'),
    ];
  });
  return state.settings.separateSiblings
    ? [...violations, ...siblings(state, partitions, arrivals)]
    : violations;
}

function counts(until: number | undefined, { settings, now }: UpkeepState): boolean {
  return until === undefined || now < until + settings.separationWindows * settings.windowHours * HOUR_MS;
}

function knownOf(partition: PartitionState, state: UpkeepState): Known[] {
  const present = partition.holders.flatMap((peer, index) => (peer === null ? [] : [{ peer, index }]));
  return [...present, ...partition.past.filter(({ until }) => counts(until, state))];
}

function separation({ id }: PartitionState, start: readonly Known[], coming: readonly Arrival[]) {
  const violations: PlanViolation[] = [];
  const known = [...start];
  for (const { id: step, to, index } of coming) {
    const other = known.find((one) => one.peer === to && one.index !== index);
    if (other) {
      const message = `Step ${step} gives shard ${index} of partition ${id} to ${to}, which has or had shard ${other.index}.`;
      violations.push({ rule: 'one-shard-per-peer', partition: id, step, message });
    }
    known.push({ peer: to, index });
  }
  return violations;
}

function collusion(
  { id, k }: PartitionState,
  start: readonly Known[],
  coming: readonly Arrival[],
  state: UpkeepState,
  rule: 'operator-limit' | 'failure-domain-limit',
): PlanViolation[] {
  const { maxPerOperator, maxPerFailureDomain } = state.settings;
  const limit = Math.min(k - 1, rule === 'operator-limit' ? maxPerOperator : maxPerFailureDomain);
  const sides = sidesOf(state, rule);
  const known = new Map<string | null, Set<number>>();
  const learn = (peer: PeerId, index: number): void => {
    for (const side of sides(peer)) known.set(side, (known.get(side) ?? new Set()).add(index));
  };
  for (const { peer, index } of start) learn(peer, index);
  const unknown = known.get(null) ?? new Set();
  const total = (side: string): number => new Set([...(known.get(side) ?? []), ...unknown]).size;
  return coming.flatMap(({ id: step, to, index }) => {
    const before = sides(to).map((side) => (side === null ? 0 : total(side)));
    learn(to, index);
    return sides(to).flatMap((side, i) => {
      const measured = side === null ? 0 : total(side);
      if (measured <= limit || measured === before[i]) return [];
      const message = `With step ${step}, ${side} has or had ${measured} shards of partition ${id}; ${limit} are allowed.`;
      return [{ rule, partition: id, step, message, measured, limit }];
    });
  });
}

/** The adversaries behind a peer; null: any. */
function sidesOf(state: UpkeepState, rule: 'operator-limit' | 'failure-domain-limit') {
  const facts = new Map(state.peers.map((peer) => [peer.id, peer]));
  return (peer: PeerId): (string | null)[] => {
    const known = facts.get(peer);
    if (!known) return [null];
    return rule === 'operator-limit' ? [known.operator] : [...new Set(known.failureDomains)];
  };
}

/** Nobody gets a shard that has or had one of a sibling partition, nor the other way round. */
function siblings(
  state: UpkeepState,
  partitions: readonly PartitionState[],
  arrivals: ReadonlyMap<string, readonly Arrival[]>,
): PlanViolation[] {
  const groups = Map.groupBy(state.partitions, ({ siblingGroup }) => siblingGroup);
  const peersOf = (partition: PartitionState): PeerId[] => [
    ...knownOf(partition, state).map(({ peer }) => peer),
    ...(arrivals.get(partition.id) ?? []).map(({ to }) => to),
  ];
  return partitions.flatMap((partition) => {
    const { id, siblingGroup, siblings: outside = [] } = partition;
    const inside = siblingGroup === undefined ? [] : groups.get(siblingGroup)!;
    const taken = new Set([
      ...inside.filter((other) => other !== partition).flatMap(peersOf),
      ...outside.filter(({ until }) => counts(until, state)).map(({ peer }) => peer),
    ]);
    return arrivals
      .get(id)!
      .filter(({ to }) => taken.has(to))
      .map(({ id: step, to }) => ({
        rule: 'siblings' as const,
        partition: id,
        step,
        message: `Step ${step} gives a shard of partition ${id} to ${to}, which has or had one of a sibling.`,
      }));
  });
}
