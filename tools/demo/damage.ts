import { open } from 'node:fs/promises';
import type { PartitionId } from '@holdfast/contracts';
import type { SeededRandom } from './random.ts';
import type { Peer, Swarm } from './swarm.ts';
import type { Observation, ShardOnDisk } from './witness.ts';

export interface DamagePlan {
  readonly dying: readonly Peer[];
  readonly rotting: Peer;
  /** Shards of the rotting peer whose partitions keep k good ones all the same. */
  readonly shards: readonly ShardOnDisk[];
  /** Shards of it that must stay good, because their partitions already lose m to the dying peers. */
  readonly spared: number;
  /** Partitions left with exactly k good shards: not one more could go. */
  readonly atTheLimit: number;
}

const FLIPPED_BYTES = 32;

/**
 * As bad as it may get: the m peers whose loss leaves the most partitions without any spare shard, and then rot in
 * every shard of a third peer that can still be borne. Together with the dead, more than m shards of a partition would
 * be gone where the third peer holds one too, so those are left alone.
 */
export function planDamage(swarm: Swarm, seen: Observation, m: number): DamagePlan {
  const held = shardsByPartition(seen);
  const dying = groups(swarm.peers, m).reduce((worst, group) =>
    exposed(held, group) > exposed(held, worst) ? group : worst,
  );
  const lost = losses(held, dying);
  const survivors = swarm.peers.filter((peer) => !dying.includes(peer));
  const bearable = (peer: Peer): ShardOnDisk[] =>
    seen.shards.filter((shard) => shard.peer === peer && (lost.get(shard.stripe.id) ?? 0) < shard.stripe.m);
  const rotting = survivors.reduce((most, peer) =>
    bearable(peer).length > bearable(most).length ? peer : most,
  );
  const shards = bearable(rotting);
  for (const { stripe } of shards) lost.set(stripe.id, (lost.get(stripe.id) ?? 0) + 1);
  const spared = seen.shards.filter((shard) => shard.peer === rotting).length - shards.length;
  const atTheLimit = [...held.values()].filter((group) => {
    const { stripe } = group[0]!;
    return group.length - (lost.get(stripe.id) ?? 0) === stripe.k;
  }).length;
  return { dying, rotting, shards, spared, atTheLimit };
}

/** Flips bits of some bytes at a random place in each file, and leaves everything else about it as it was. */
export async function rot(shards: readonly ShardOnDisk[], random: SeededRandom): Promise<void> {
  for (const { path } of shards) {
    await using file = await open(path, 'r+');
    const { size, atime, mtime } = await file.stat();
    const at = random.below(size - FLIPPED_BYTES);
    const bytes = Buffer.alloc(FLIPPED_BYTES);
    await file.read(bytes, 0, bytes.length, at);
    for (const [i, byte] of bytes.entries()) bytes[i] = byte ^ (1 + random.below(255));
    await file.write(bytes, 0, bytes.length, at);
    // A failing disk does not touch the times either, and the peer keeps the lease there.
    await file.utimes(atime, mtime);
  }
}

type Held = ReadonlyMap<PartitionId, readonly ShardOnDisk[]>;

function shardsByPartition(seen: Observation): Held {
  const held = new Map<PartitionId, ShardOnDisk[]>();
  for (const shard of seen.shards) held.set(shard.stripe.id, [...(held.get(shard.stripe.id) ?? []), shard]);
  return held;
}

function losses(held: Held, dying: readonly Peer[]): Map<PartitionId, number> {
  return new Map(
    [...held].map(([id, group]) => [id, group.filter((shard) => dying.includes(shard.peer)).length]),
  );
}

/** Partitions that the death of these peers leaves without a spare shard. */
const exposed = (held: Held, dying: readonly Peer[]): number =>
  [...held.values()].filter((group) => {
    const left = group.filter((shard) => !dying.includes(shard.peer)).length;
    return left === group[0]!.stripe.k;
  }).length;

/** All choices of `size` among the items, in order. */
function groups<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) => groups(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}
