import type { PlacementRules } from '../placement-rules.ts';
import { knownHolders, type RecordedPlacement, type Violation, violation } from './recorded-placement.ts';

type Known = ReturnType<typeof knownHolders>[number];

/** Each holder was one that may get shards at all, by what was recorded of it when it got its shard. */
export function fitness({ placed, facts, rules, now }: RecordedPlacement): Violation[] {
  return knownHolders(placed, facts).flatMap((holder) => [
    ...membership(holder),
    ...certificate(holder, now),
    ...reputationFloor(holder, rules),
    ...room(holder, rules),
  ]);
}

function membership({ peer, index, fact }: Known): Violation[] {
  if (fact.member !== false) return [];
  return [violation('membership', null, null, `Peer ${peer}, holder of shard ${index}, had left the swarm.`)];
}

function certificate({ peer, index, fact }: Known, now: number): Violation[] {
  if (fact.certificate === undefined) return [];
  const { validFrom, validUntil, revokedAt } = fact.certificate;
  const broken = (limit: number, what: string) => {
    const message = `The certificate of peer ${peer}, holder of shard ${index}, ${what} (${limit}; it was ${now}).`;
    return [violation('certificate', now, limit, message)];
  };
  if (revokedAt !== undefined && !(revokedAt > now)) return broken(revokedAt, 'had been revoked');
  if (!(validFrom <= now)) return broken(validFrom, 'was not valid yet');
  if (!(now < validUntil)) return broken(validUntil, 'had expired');
  return [];
}

function reputationFloor(
  { peer, index, fact }: Known,
  { reputationFloor: floor }: PlacementRules,
): Violation[] {
  if (fact.reputation === undefined || fact.reputation >= floor) return [];
  const message =
    `Peer ${peer}, holder of shard ${index}, had a reputation of ${fact.reputation}; ` +
    `none below ${floor} may be chosen.`;
  return [violation('reputation-floor', fact.reputation, floor, message)];
}

function room({ peer, index, fact }: Known, { shardBytes }: PlacementRules): Violation[] {
  if (fact.freeBytes === undefined || fact.freeBytes >= shardBytes) return [];
  const message = `Peer ${peer} had ${fact.freeBytes} bytes free; shard ${index} takes ${shardBytes}.`;
  return [violation('room', fact.freeBytes, shardBytes, message)];
}
