import type { PeerId } from '@holdfast/contracts';
import type { Candidate } from '../../candidate.ts';
import type { Mover, ShardAt } from './mover.ts';

/**
 * Evens out what peers have: from those far above what is wanted, and to those far below. Nobody is brought below, or
 * above, what is wanted of it: so a peer that gave does not get, nor the other way round, until the facts change.
 */
export function level(mover: Mover): void {
  emptyFullOnes(mover, mover.shardsByPeer());
  fillEmptyOnes(mover, mover.shardsByPeer());
}

function emptyFullOnes(mover: Mover, shards: ReadonlyMap<PeerId, ShardAt[]>): void {
  const { fill, candidates } = mover;
  const full = candidates.filter(({ id }) => fill.surplus(id) > fill.band(id, 'startAt'));
  for (const { id } of fullestFirst(mover, full)) {
    const enough = (): boolean => fill.surplus(id) <= fill.band(id, 'stopAt');
    giveAway(mover, shards.get(id) ?? [], enough, candidates);
  }
}

function fillEmptyOnes(mover: Mover, shards: ReadonlyMap<PeerId, ShardAt[]>): void {
  const { fill, candidates } = mover;
  const empty = candidates.filter(({ id }) => -fill.surplus(id) > fill.band(id, 'startAt'));
  if (empty.length === 0) return;
  const isShort = ({ id }: Candidate): boolean => -fill.surplus(id) > fill.band(id, 'stopAt');
  for (const { id } of fullestFirst(mover, candidates)) {
    giveAway(mover, shards.get(id) ?? [], () => !empty.some(isShort), empty, isShort);
  }
}

const fullestFirst = ({ fill }: Mover, peers: readonly Candidate[]): Candidate[] =>
  peers.toSorted((a, b) => fill.surplus(b.id) - fill.surplus(a.id) || (a.id < b.id ? -1 : 1));

function giveAway(
  mover: Mover,
  shards: readonly ShardAt[],
  enough: () => boolean,
  among: readonly Candidate[],
  takes: (peer: Candidate) => boolean = () => true,
): void {
  const { fill } = mover;
  for (const shard of shards) {
    const { shardBytes } = shard.partition;
    if (mover.cutOff || enough()) return;
    if (fill.surplus(shard.from.id) < shardBytes) continue;
    const short = among.filter((peer) => takes(peer) && fill.surplus(peer.id) + shardBytes <= 0);
    mover.move(shard, short, 'balance');
  }
}
