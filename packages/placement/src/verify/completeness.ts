import type { PlacementRules } from '../placement-rules.ts';
import {
  isPresent,
  type PlacedHolder,
  presentHolders,
  type Violation,
  violation,
} from './recorded-placement.ts';

/** Every shard is where the rules want it: on so many peers, and on no fewer different ones in all. */
export function completeness(placed: readonly PlacedHolder[], rules: PlacementRules): Violation[] {
  const { copies, minDistinctPeers } = rules;
  const n = rules.k + rules.m;
  const violations: Violation[] = [];
  for (const { index, peer } of placed) {
    if (Number.isInteger(index) && index >= 0 && index < n) continue;
    const message = `Peer ${peer} holds shard ${index} of a stripe of ${n}.`;
    violations.push(violation('unknown-index', index, n - 1, message));
  }
  const holders = Map.groupBy(presentHolders(placed), ({ index }) => index);
  for (let index = 0; index < n; index++) {
    const count = holders.get(index)?.length ?? 0;
    if (count === 0) {
      violations.push(violation('unplaced', 0, copies, `Shard ${index} has no holder.`));
    } else if (count < copies) {
      const message = `Shard ${index} is on ${count} peers; ${copies} should have it.`;
      violations.push(violation('copies', count, copies, message));
    }
  }
  const distinct = new Set(placed.filter(isPresent).map(({ peer }) => peer)).size;
  if (distinct < minDistinctPeers) {
    const message = `The shards are on ${distinct} different peers; at least ${minDistinctPeers} are demanded.`;
    violations.push(violation('min-distinct-peers', distinct, minDistinctPeers, message));
  }
  return violations;
}
