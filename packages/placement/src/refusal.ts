import { HoldfastError, type PartitionId, type PeerId } from '@holdfast/contracts';
import type { Candidate } from './candidate.ts';
import type { PlacementRules } from './placement-rules.ts';
import type { AdversaryCount, AdversaryCounts } from './rules/adversary-limit.ts';
import { isAboveFloor } from './rules/reputation.ts';
import { hasRoom } from './rules/room.ts';

export interface Refused {
  readonly partition: PartitionId;
  /** Shards to be placed. */
  readonly need: number;
  readonly candidates: readonly Candidate[];
  /** Who must not be chosen, for whatever reason. */
  readonly barred: ReadonlySet<PeerId>;
  readonly rules: PlacementRules;
  readonly adversaries: AdversaryCounts;
}

interface RuledOut {
  readonly barred: number;
  readonly noRoom: number;
  readonly distrusted: number;
}

/** Why the shards could not be placed, in terms of the first hard rule that stands in the way, and what would help. */
export function refuse(refused: Refused): HoldfastError {
  const { candidates, barred, rules, need, adversaries } = refused;
  const allowed = candidates.filter(({ id }) => !barred.has(id));
  const trusted = allowed.filter((candidate) => isAboveFloor(candidate, rules));
  const usable = trusted.filter((candidate) => hasRoom(candidate, rules));
  if (usable.length < need) {
    return tooFewPeers(refused, usable.length, {
      barred: candidates.length - allowed.length,
      distrusted: allowed.length - trusted.length,
      noRoom: trusted.length - usable.length,
    });
  }
  const placeable = spareOf(usable, adversaries.operators, ({ operator }) => operator);
  return placeable < need ? tooFewOperators(refused, usable, placeable) : sharedFates(refused);
}

/** How many shards the peers could take if each adversary took as many as it may. */
function spareOf(
  usable: readonly Candidate[],
  count: AdversaryCount,
  key: (peer: Candidate) => string,
): number {
  let placeable = 0;
  for (const [adversary, peers] of Map.groupBy(usable, key)) {
    placeable += Math.max(0, Math.min(peers.length, count.spare(adversary)));
  }
  return placeable;
}

function tooFewOperators(
  { partition, need, adversaries: { operators } }: Refused,
  usable: readonly Candidate[],
  placeable: number,
): HoldfastError {
  const count = new Set(usable.map(({ operator }) => operator)).size;
  const shortOf = need - placeable;
  const more = Math.ceil(shortOf / operators.limit);
  return new HoldfastError(
    'PLACEMENT_REFUSED',
    `Partition ${partition}: ${plural(need, 'shard')} to place, but the peers' ${plural(count, 'operator')} ` +
      `may take only ${placeable} of them (at most ${operators.limit} of a partition each, so that no operator can ` +
      'rebuild it).',
    {
      hint: `Add peers of ${plural(more, 'more operator')} (${plural(shortOf, 'more peer')} in all), or lower k + m.`,
      details: {
        rule: 'operator-limit',
        partition,
        need,
        placeable,
        moreOperators: more,
        morePeers: shortOf,
      },
    },
  );
}

/** Operators alone would do, but with the failure domains no choice was found. */
function sharedFates({ partition, need, adversaries: { failureDomains } }: Refused): HoldfastError {
  return new HoldfastError(
    'PLACEMENT_REFUSED',
    `Partition ${partition}: ${plural(need, 'shard')} to place, but too many peers share a failure domain (at most ` +
      `${failureDomains.limit} shards of a partition in each).`,
    {
      hint: `Add ${plural(need, 'peer')} outside the declared failure domains, or declare them more finely.`,
      details: {
        rule: 'failure-domain-limit',
        partition,
        need,
        limit: failureDomains.limit,
        morePeers: need,
      },
    },
  );
}

function tooFewPeers(
  { partition, need, rules }: Refused,
  usable: number,
  { noRoom, barred, distrusted }: RuledOut,
): HoldfastError {
  const morePeers = need - usable;
  const others = [
    noRoom > 0 ? `${plural(noRoom, 'more')} without room for a shard` : '',
    distrusted > 0 ? `${plural(distrusted, 'more')} with a reputation below ${rules.reputationFloor}` : '',
    barred > 0 ? `${plural(barred, 'more')} that failed, or hold or held another shard of it` : '',
  ].filter((text) => text !== '');
  return new HoldfastError(
    'PLACEMENT_REFUSED',
    `Partition ${partition}: ${plural(need, 'shard')} to place on as many different peers, but ` +
      `${usable === 0 ? 'none' : `only ${usable}`} can take one${others.length > 0 ? ` (${others.join(', ')})` : ''}.`,
    {
      hint: `Add ${plural(morePeers, 'more peer')}${noRoom > 0 ? ', or make room on those that are full' : ''}.`,
      details: {
        rule:
          noRoom >= morePeers ? 'room' : distrusted >= morePeers ? 'reputation-floor' : 'one-shard-per-peer',
        partition,
        need,
        usable,
        morePeers,
      },
    },
  );
}

const plural = (count: number, noun: string): string =>
  noun === 'more' || count === 1 ? `${count} ${noun}` : `${count} ${noun}s`;
