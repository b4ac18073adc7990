import type { PeerId } from '@holdfast/contracts';
import { type Holding, stillCounts } from '../holding.ts';
import type { PlacementRules } from '../placement-rules.ts';

/**
 * Hard. No peer holds two complementary shards, not even one after the other within T windows: a peer that has, or had, shard i
 * may get shard i of that partition again and no other; one that has a sibling partition's, none at all if siblings are
 * to be kept apart.
 * @param index of the shard to be placed; null: all of them
 */
export function barredPeers(
  index: number | null,
  holders: Iterable<Holding>,
  siblings: Iterable<Holding>,
  rules: PlacementRules,
  now: number,
): Set<PeerId> {
  const barred = new Set<PeerId>();
  for (const holder of holders) {
    if (holder.index !== index && stillCounts(holder, rules, now)) barred.add(holder.peer);
  }
  if (rules.separateSiblings) {
    for (const sibling of siblings) if (stillCounts(sibling, rules, now)) barred.add(sibling.peer);
  }
  return barred;
}
