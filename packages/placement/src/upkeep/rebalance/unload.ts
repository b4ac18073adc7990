import type { UpkeepState } from '../state.ts';
import type { RebalanceSettings } from './bands.ts';
import type { Mover } from './mover.ts';

/**
 * Overloaded peers give away until they are some way below the limit, the fullest first; to peers that should have more
 * where one of them can take the shard, else to any that stays within the limit.
 */
export function unload(mover: Mover, state: UpkeepState, settings: RebalanceSettings): void {
  if (state.settings.off.includes('load')) return;
  const { fill, candidates } = mover;
  const shards = mover.shardsByPeer();
  const full = state.peers
    .filter((peer) => fill.overload(peer, 0) > 0 && shards.has(peer.id))
    .sort((a, b) => fill.overload(b, 0) / b.capacityBytes - fill.overload(a, 0) / a.capacityBytes);
  for (const peer of full) {
    for (const shard of shards.get(peer.id)!) {
      if (mover.cutOff || fill.overload(peer, settings.loadSlack) <= 0) break;
      const { shardBytes } = shard.partition;
      const short = candidates.filter(({ id }) => fill.surplus(id) + shardBytes <= 0);
      if (!mover.move(shard, short, 'load')) mover.move(shard, candidates, 'load');
    }
  }
}
