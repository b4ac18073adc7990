import { HoldfastError, type PeerId } from '@holdfast/contracts';
import type { PlacementRules } from '../placement-rules.ts';
import type { PeerFact, RecordedPlacement } from './recorded-placement.ts';

/** Each of these is compared with; a NaN among them would let everything pass. The limits on adversaries are capped anyway. */
const COMPARED = [
  'minDistinctPeers',
  'separationWindows',
  'windowHours',
  'maxLatencyMs',
  'maxPacketLoss',
  'maxPerRegion',
  'minContinents',
  'maxLoad',
  'headroomShards',
  'minReputation',
  'reputationFloor',
  'shardBytes',
] as const;

/** USAGE, naming field and value, for a record that cannot be judged: then nothing was checked at all. */
export function checkRecord({
  placed,
  facts,
  rules,
  now = 0,
}: Pick<RecordedPlacement, 'placed' | 'facts' | 'rules'> & { readonly now?: number | undefined }): void {
  checkShape(rules);
  for (const field of COMPARED) {
    if (typeof rules[field] !== 'number' || Number.isNaN(rules[field])) {
      throw senseless(`Placement rule ${field}`, field, rules[field]);
    }
  }
  if (!Number.isFinite(now)) throw senseless('The time', 'now', now);
  for (const { peer, until } of placed) {
    if (until !== undefined && Number.isNaN(until)) throw senseless(`Peer ${peer}: until`, 'until', until);
  }
  for (const [peer, fact] of facts) checkFact(peer, fact);
}

function checkShape({ k, m, copies }: PlacementRules): void {
  const least = { k: [k, 2], m: [m, 0], copies: [copies, 1] } as const;
  for (const [field, [value, limit]] of Object.entries(least)) {
    if (!(Number.isSafeInteger(value) && value >= limit)) {
      throw senseless(`Placement rule ${field}`, field, value);
    }
  }
}

function checkFact(peer: PeerId, fact: PeerFact): void {
  for (const field of ['packetLoss', 'reputation'] as const) {
    const share = fact[field] ?? 0;
    if (!(share >= 0 && share <= 1)) throw senseless(`Peer ${peer}: ${field}`, field, share);
  }
  for (const field of ['latencyMs', 'freeBytes', 'capacityBytes'] as const) {
    const amount = fact[field] ?? 0;
    if (!(amount >= 0 && amount < Number.POSITIVE_INFINITY)) {
      throw senseless(`Peer ${peer}: ${field}`, field, amount);
    }
  }
}

const senseless = (what: string, field: string, value: unknown) =>
  new HoldfastError('USAGE', `${what} is ${value}: a placement cannot be judged by that.`, {
    details: { field, value },
  });
