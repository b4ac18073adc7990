import type { Holding } from '../holding.ts';
import type { PlacementRules } from '../placement-rules.ts';
import { counting, type PlacedHolder, type Violation, violation } from './recorded-placement.ts';

/** No peer has, or had within T windows, two shards that complement each other. */
export function separation(
  placed: readonly PlacedHolder[],
  siblings: readonly Holding[],
  rules: PlacementRules,
  now: number | undefined,
): Violation[] {
  const violations: Violation[] = [];
  const ofSiblings = Map.groupBy(
    rules.separateSiblings ? counting(siblings, rules, now) : [],
    ({ peer }) => peer,
  );
  for (const [peer, held] of Map.groupBy(counting(placed, rules, now), (holder) => holder.peer)) {
    const different = [...new Set(held.map(({ index }) => index))].sort((a, b) => a - b);
    if (different.length > 1) {
      const message = `Peer ${peer} holds or has held shards ${different.join(', ')}; one is allowed.`;
      violations.push(violation('one-shard-per-peer', different.length, 1, message));
    }
    const foreign = ofSiblings.get(peer)?.length ?? 0;
    if (foreign > 0) {
      const message =
        `Peer ${peer} holds or has held shard ${different.join(', ')}, and ${foreign} of sibling ` +
        'partitions; none is allowed beside it.';
      violations.push(violation('sibling-separation', foreign, 0, message));
    }
  }
  return violations;
}
