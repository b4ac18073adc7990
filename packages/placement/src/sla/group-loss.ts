import type { Assessment } from './assessment.ts';
import { peersOf, shardsLostWith } from './code-shape.ts';
import { availabilityFigures } from './figures.ts';
import type { GroupLoss } from './plan.ts';
import type { UsablePeer, UsablePeers } from './usable-peers.ts';
import { leastReliable, withPeersLost } from './worst-placement.ts';

/** Every region, the one whose loss is worst first. */
export const regionLosses = (found: Assessment, usable: UsablePeers): GroupLoss[] =>
  lossesOf(usable.regions, found.spread.perRegion, found, usable, (peer) => peer.region);

/** The operator whose loss is worst. */
export const operatorLoss = (found: Assessment, usable: UsablePeers): GroupLoss =>
  lossesOf(usable.operators, found.rules.maxPerOperator, found, usable, (peer) => peer.operator)[0]!;

/**
 * As many shards as the group may have are down; the others are on the least reliable peers outside. Had it fewer, the
 * rest would be up now and then instead of down, so that no placement comes off worse.
 */
function lossesOf(
  groups: UsablePeers['regions'],
  limit: number,
  { shape, rules }: Assessment,
  usable: UsablePeers,
  groupOf: (peer: UsablePeer) => string,
): GroupLoss[] {
  const need = peersOf(shape);
  const losses = [...groups].map(([name, { length: peers }]) => {
    const shardsLost = Math.min(need, limit, peers);
    const outside = usable.peers.filter((peer) => groupOf(peer) !== name);
    const failures = leastReliable(outside, need, rules.maxPerOperator);
    return {
      name,
      peers,
      shardsLost,
      survives: shardsLostWith(shardsLost, shape) <= shape.m,
      during: availabilityFigures(withPeersLost(shape, failures, shardsLost)),
    };
  });
  return losses.sort(
    (a, b) => b.during.unavailability - a.during.unavailability || b.shardsLost - a.shardsLost,
  );
}
