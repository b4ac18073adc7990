import { HoldfastError, type PartitionId } from '@holdfast/contracts';
import type { Candidate } from './candidate.ts';
import type { OperatorCount } from './rules/operator-limit.ts';

/** Why `need` shards could not be placed on peers that keep every hard rule by themselves, and what would help. */
export function refuse(
  partition: PartitionId,
  need: number,
  usable: readonly Candidate[],
  operators: OperatorCount,
  ruledOut: { readonly noRoom: number; readonly barred: number },
): HoldfastError {
  if (usable.length < need) return tooFewPeers(partition, need, usable.length, ruledOut);
  const peersOf = Map.groupBy(usable, (candidate) => candidate.operator);
  let placeable = 0;
  for (const [operator, peers] of peersOf) {
    placeable += Math.max(0, Math.min(peers.length, operators.spare(operator)));
  }
  const shortOf = need - placeable;
  const more = Math.ceil(shortOf / operators.limit);
  return new HoldfastError(
    'PLACEMENT_REFUSED',
    `Partition ${partition}: ${plural(need, 'shard')} to place, but the peers' ${plural(peersOf.size, 'operator')} ` +
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

function tooFewPeers(
  partition: PartitionId,
  need: number,
  usable: number,
  { noRoom, barred }: { readonly noRoom: number; readonly barred: number },
): HoldfastError {
  const morePeers = need - usable;
  const others = [
    noRoom > 0 ? `${plural(noRoom, 'more')} without room for a shard` : '',
    barred > 0 ? `${plural(barred, 'more')} that failed, or hold or held another shard of it` : '',
  ].filter((text) => text !== '');
  return new HoldfastError(
    'PLACEMENT_REFUSED',
    `Partition ${partition}: ${plural(need, 'shard')} to place on as many different peers, but ` +
      `${usable === 0 ? 'none' : `only ${usable}`} can take one${others.length > 0 ? ` (${others.join(', ')})` : ''}.`,
    {
      hint: `Add ${plural(morePeers, 'more peer')}${noRoom > 0 ? ', or make room on those that are full' : ''}.`,
      details: {
        rule: noRoom >= morePeers ? 'room' : 'one-shard-per-peer',
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
