import type { Candidate } from '../../candidate.ts';
import { regionKey } from '../../rules/region-spread.ts';
import type { PartitionState, UpkeepState } from '../state.ts';
import type { Mover, ShardAt } from './mover.ts';
import { type Breakage, compareBreakage, isBetter, isKept, type SoftStanding } from './soft-standing.ts';

interface Gain {
  readonly shard: ShardAt;
  readonly best: Breakage;
  /** Kinds of peers that gain most, and all that gain anything. */
  readonly most: readonly Candidate[];
  readonly some: readonly Candidate[];
}

/** Partitions that break soft rules get peers with which they break them less, the worst broken first. */
export function tighten(mover: Mover, state: UpkeepState): void {
  const broken = state.partitions
    .map((partition) => ({ partition, breakage: mover.standing(partition).breakage }))
    .filter(({ breakage }) => !isKept(breakage))
    .sort((a, b) => compareBreakage(b.breakage, a.breakage) || (a.partition.id < b.partition.id ? -1 : 1));
  const kinds = [...Map.groupBy(mover.candidates, kindOf).values()];
  for (const { partition } of broken) {
    while (!mover.cutOff && improve(mover, partition, kinds));
  }
}

/** @returns whether a shard was moved. Each one breaks less than before, so that this ends. */
function improve(mover: Mover, partition: PartitionState, kinds: readonly (readonly Candidate[])[]): boolean {
  const standing = mover.standing(partition);
  if (isKept(standing.breakage)) return false;
  const gains = mover.shardsOf(partition).flatMap((shard) => gainOf(shard, standing, kinds) ?? []);
  gains.sort((a, b) => compareBreakage(a.best, b.best) || a.shard.index - b.shard.index);
  return gains.some(
    ({ shard, most, some }) => mover.move(shard, most, 'rule') || mover.move(shard, some, 'rule'),
  );
}

function gainOf(
  shard: ShardAt,
  standing: SoftStanding,
  kinds: readonly (readonly Candidate[])[],
): Gain | null {
  const before = standing.breakage;
  const after = kinds
    .map((peers) => ({ peers, breakage: standing.with(shard.from, peers[0]!) }))
    .filter(({ breakage }) => isBetter(breakage, before));
  if (after.length === 0) return null;
  const best = after.map(({ breakage }) => breakage).sort(compareBreakage)[0]!;
  const most = after.filter(({ breakage }) => compareBreakage(breakage, best) === 0);
  return {
    shard,
    best,
    most: most.flatMap(({ peers }) => peers),
    some: after.flatMap(({ peers }) => peers),
  };
}

/** Peers of one kind are alike to the soft rules that are judged here. */
const kindOf = ({ region, latencyMs, packetLoss, reputation }: Candidate): string =>
  [regionKey(region), latencyMs, packetLoss, reputation].join(' ');
