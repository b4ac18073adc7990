import { HoldfastError, type PeerId } from '@holdfast/contracts';
import type { Candidate } from '../../candidate.ts';
import type { Holding } from '../../holding.ts';
import type { PartitionState, UpkeepState } from '../state.ts';
import type { Step } from '../steps.ts';

interface Shard {
  readonly partition: PartitionState;
  readonly holders: (PeerId | null)[];
  past: Holding[];
}

/**
 * The state once these steps are done, in this order: for simulations, and to plan on from where a plan stopped. Whoever
 * was verified last is the holder; who was before, and who was sent something, is on record as one that may have it, until it
 * is released. Does what it is told, safe or not; `checkPlan` judges. USAGE for a step about a partition that is not there.
 */
export function execute(state: UpkeepState, steps: readonly Step[]): UpkeepState {
  const shards = new Map(state.partitions.map((partition) => [partition.id, opened(partition)]));
  const free = new Map<PeerId, number>();
  const use = (peer: PeerId, bytes: number): void => {
    free.set(peer, (free.get(peer) ?? 0) - bytes);
  };
  for (const step of steps) {
    const shard = shards.get(step.partition);
    if (!shard) throw new HoldfastError('USAGE', `There is no partition ${step.partition} here.`);
    apply(step, shard, state.now, use);
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
});

const withFree = (peer: Candidate, more: number): Candidate =>
  more === 0
    ? peer
    : { ...peer, freeBytes: Math.max(0, Math.min(peer.capacityBytes, peer.freeBytes + more)) };

function apply(step: Step, shard: Shard, now: number, use: (peer: PeerId, bytes: number) => void): void {
  const { holders, partition } = shard;
  const { index } = step;
  switch (step.kind) {
    case 'copy':
    case 'make':
      shard.past.push({ index, peer: step.to });
      use(step.to, partition.shardBytes);
      return;
    case 'verify':
      hold(shard, index, step.peer);
      return;
    case 'release':
      use(step.peer, -partition.shardBytes);
      if (holders[index] === step.peer) holders[index] = null;
      shard.past = without(shard.past, index, step.peer).concat({ index, peer: step.peer, until: now });
      return;
    case 'write-off':
      if (holders[index] === step.peer) hold(shard, index, null);
  }
}

/** Somebody else is relied on for the shard; who was before may still have it. */
function hold(shard: Shard, index: number, peer: PeerId | null): void {
  const before = shard.holders[index] ?? null;
  if (before === peer) return;
  if (before !== null) shard.past.push({ index, peer: before });
  if (peer !== null) shard.past = without(shard.past, index, peer);
  shard.holders[index] = peer;
}

const without = (holdings: readonly Holding[], index: number, peer: PeerId): Holding[] =>
  holdings.filter((one) => one.index !== index || one.peer !== peer);
