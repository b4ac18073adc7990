import type { PeerId } from '@holdfast/contracts';
import type { SoftRule } from '../placement-rules.ts';
import {
  counting,
  type HardRule,
  type PeerFact,
  presentHolders,
  type RecordedPlacement,
  type Unchecked,
} from './recorded-placement.ts';

/** Which facts each rule needs of a present holder. */
const NEEDED: readonly (readonly [rule: HardRule | SoftRule, fact: keyof PeerFact, words: string])[] = [
  ['membership', 'member', 'whether they were members'],
  ['certificate', 'certificate', 'their certificates'],
  ['reputation-floor', 'reputation', 'the reputation'],
  ['room', 'freeBytes', 'the free room'],
  ['latency', 'latencyMs', 'the round trip'],
  ['packet-loss', 'packetLoss', 'the packet loss'],
  ['load', 'capacityBytes', 'the capacity'],
  ['load', 'freeBytes', 'the free room'],
  ['reputation', 'reputation', 'the reputation'],
];

/** What of the placement no rule could be held against, because it is not recorded. Unknown peers are violations already. */
export function unchecked(record: RecordedPlacement): Unchecked[] {
  const { placed, rules, siblings, now } = record;
  const present = [...new Set(presentHolders(placed).map(({ peer }) => peer))];
  const ever = [...new Set(counting(placed, rules, now).map(({ peer }) => peer))];
  const needed = NEEDED.filter(([rule]) => !(rules.off as readonly string[]).includes(rule));
  const missing = [
    ...lacking(record, ever, 'failure-domain-limit', 'failureDomains', 'failure domains'),
    ...needed.flatMap(([rule, fact, words]) => lacking(record, present, rule, fact, words)),
  ];
  if (!rules.separateSiblings || siblings !== undefined) return missing;
  const message = 'It is not recorded who has or had shards of sibling partitions.';
  return [{ rule: 'sibling-separation', peers: [], message }, ...missing];
}

function lacking(
  { facts }: RecordedPlacement,
  holders: readonly PeerId[],
  rule: HardRule | SoftRule,
  fact: keyof PeerFact,
  words: string,
): Unchecked[] {
  const peers = holders.filter((peer) => facts.has(peer) && facts.get(peer)?.[fact] === undefined);
  if (peers.length === 0) return [];
  return [{ rule, peers, message: `Not recorded of ${peers.length} of the peers: ${words}.` }];
}
