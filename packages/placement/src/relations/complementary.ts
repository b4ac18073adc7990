import type { PartitionId } from '@holdfast/contracts';

/** Primary shards carry the partition's (sealed) data; parity shards are computed from them. */
export type ShardRole = 'primary' | 'parity';

export const shardRole = (index: number, k: number): ShardRole => (index < k ? 'primary' : 'parity');

/**
 * All shards of one partition complement each other: with a code where any k of n suffice, every further shard brings
 * its holder closer to k. Shards of different partitions are independent. (So no matrix is stored: it follows from
 * partition and index.)
 */
export const areComplementary = (a: ShardPosition, b: ShardPosition): boolean =>
  a.partition === b.partition && a.index !== b.index;

export interface ShardPosition {
  readonly partition: PartitionId;
  readonly index: number;
}

/** The indices that complement shard `index` of a partition of `n` shards, ascending. */
export const complementsOf = (index: number, n: number): number[] =>
  Array.from({ length: n }, (_, other) => other).filter((other) => other !== index);

/** For each of the partition's shards in the list, the others in the list that complement it. */
export function identifyComplementaryShards<S extends ShardPosition>(
  shards: readonly S[],
  partition: PartitionId,
): Map<S, S[]> {
  const own = shards.filter((shard) => shard.partition === partition);
  return new Map(own.map((shard) => [shard, own.filter((other) => areComplementary(shard, other))]));
}
