import { HoldfastError, type PeerId } from '@holdfast/contracts';
import type { Candidate } from '../../candidate.ts';
import type { Holding } from '../../holding.ts';
import type { PartitionState, UpkeepState } from '../state.ts';
import type { Step } from '../steps.ts';

interface Shard {
  readonly partition: PartitionState;
  readonly holders: (PeerId | null)[];
  past: Holding[];
  /** Index and peer of what was verified and is not a holder in `holders`. */
  readonly spare: Map<number, Set<PeerId>>;
}

/**
 * The state once these steps are done, in this order: for simulations, and to plan on from where a plan stopped. Does what
 * it is told, safe or not; `checkPlan` judges. USAGE for a step about a partition that is not there.
 */
export function execute(state: UpkeepState, steps: readonly Step[]): UpkeepState {
  const away = new Set(state.outages.map(({ peer }) => peer));
  const shards = new Map(state.partitions.map((partition) => [partition.id, opened(partition)]));
  const free = new Map<PeerId, number>();
  const use = (peer: PeerId, bytes: number): void => {
    free.set(peer, (free.get(peer) ?? 0) - bytes);
  };
  for (const step of steps) {
    const shard = shards.get(step.partition);
    if (!shard) throw new HoldfastError('USAGE', `There is no partition ${step.partition} here.`);
    apply(step, shard, away, state.now, use);
  }
  return {
    ...state,
    partitions: state.partitions.map((partition) => {
      const { holders, past } = shards.get(partition.id)!;
      return { ...partition, holders, past };
    }),
    peers: state.peers.map((peer) => withFree(peer, free.get(peer.id) ?? 0)),
  };
}

const opened = (partition: PartitionState): Shard => ({
  partition,
  holders: [...partition.holders],
  past: [...partition.past],
  spare: new Map(),
});

const withFree = (peer: Candidate, more: number): Candidate =>
  more === 0
    ? peer
    : { ...peer, freeBytes: Math.max(0, Math.min(peer.capacityBytes, peer.freeBytes + more)) };

function apply(
  step: Step,
  shard: Shard,
  away: ReadonlySet<PeerId>,
  now: number,
  use: (peer: PeerId, bytes: number) => void,
): void {
  const { holders, partition } = shard;
  const { index } = step;
  const holder = holders[index] ?? null;
  switch (step.kind) {
    case 'copy':
    case 'make':
      shard.past.push({ index, peer: step.to });
      use(step.to, partition.shardBytes);
      return;
    case 'verify':
      if (holder === step.peer) return;
      if (holder === null || away.has(holder)) instead(shard, index, step.peer);
      else shard.spare.set(index, (shard.spare.get(index) ?? new Set()).add(step.peer));
      return;
    case 'release':
      use(step.peer, -partition.shardBytes);
      shard.spare.get(index)?.delete(step.peer);
      if (holder === step.peer) instead(shard, index, next(shard, index));
      shard.past = [
        ...shard.past.filter((one) => one.index !== index || one.peer !== step.peer),
        { index, peer: step.peer, until: now },
      ];
      return;
    case 'write-off':
      if (holder === step.peer) instead(shard, index, next(shard, index));
  }
}

/** Somebody else is relied on for the shard; who was before may still have it. */
function instead(shard: Shard, index: number, peer: PeerId | null): void {
  const before = shard.holders[index] ?? null;
  if (before !== null) shard.past.push({ index, peer: before });
  shard.past = shard.past.filter((one) => one.index !== index || one.peer !== peer);
  shard.holders[index] = peer;
}

function next({ spare }: Shard, index: number): PeerId | null {
  const [peer = null] = spare.get(index) ?? [];
  if (peer !== null) spare.get(index)!.delete(peer);
  return peer;
}
