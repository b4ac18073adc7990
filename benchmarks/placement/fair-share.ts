import type { BenchPeer } from './swarm.ts';

/**
 * Of each peer, the share of partitions that it would have a shard of if load followed weight: `need` · weight / total, but never more
 * than 1, and what is cut off there goes to the others. Adds up to `need`.
 * @param need shards of a partition; at most as many as peers
 */
export function fairShares(peers: readonly BenchPeer[], need: number): number[] {
  const shares = new Map<BenchPeer, number>();
  let [left, weight] = [need, peers.reduce((sum, { freeBytes }) => sum + freeBytes, 0)];
  // Heaviest first: once one stays below 1, so do all that follow.
  for (const peer of [...peers].sort((a, b) => b.freeBytes - a.freeBytes)) {
    const share = Math.min(1, (left * peer.freeBytes) / weight);
    shares.set(peer, share);
    left -= share;
    weight -= peer.freeBytes;
  }
  return peers.map((peer) => shares.get(peer)!);
}
