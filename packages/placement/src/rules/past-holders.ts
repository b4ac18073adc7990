import type { PeerId } from '@holdfast/contracts';

/**
 * Hard. No peer ever holds two different shards of a partition, not even one after the other: a peer that has held
 * shard i may get shard i again and no other.
 */
export function heldAnother(
  index: number,
  holders: Iterable<{ readonly index: number; readonly peer: PeerId }>,
): Set<PeerId> {
  const barred = new Set<PeerId>();
  for (const holder of holders) if (holder.index !== index) barred.add(holder.peer);
  return barred;
}
