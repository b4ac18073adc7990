import type { PeerId } from '@holdfast/contracts';
import type { Candidate } from '../../candidate.ts';

/** What a peer has and could have of ours. */
export interface Share {
  readonly peer: Candidate;
  /** Bytes of our shards there. */
  readonly ours: number;
  /** Bytes of ours that it may have at most: what maxLoad leaves beside what is not ours, and a shard of each partition. */
  readonly most: number;
}

/**
 * A peer's weight in the wanted distribution. By capacity, not by free room as for new shards: what is wanted must not
 * change with what is moved, or moves would never end.
 */
export const lastingWeight = ({ weight, capacityBytes, reputation, stability }: Candidate): number =>
  weight ?? capacityBytes * (reputation ?? 1) * (stability ?? 1);

/**
 * How many bytes of ours each peer should have: in proportion to weight, but nobody more than `most`; what one cannot take
 * goes to the others in proportion again. min(most, λ · weight) with the λ for which all is placed (water-filling); where
 * that cannot be, everybody's `most`.
 */
export function wantedBytes(shares: readonly Share[]): Map<PeerId, number> {
  const rising = shares
    .filter(({ peer }) => lastingWeight(peer) > 0)
    .map((share) => ({ share, weight: lastingWeight(share.peer), full: 0 }))
    .map((each) => ({ ...each, full: each.share.most / each.weight }))
    .sort((a, b) => a.full - b.full);
  let bytes = shares.reduce((sum, { ours }) => sum + ours, 0);
  let weight = rising.reduce((sum, each) => sum + each.weight, 0);
  const wanted = new Map(shares.map(({ peer }) => [peer.id, 0]));
  for (const each of rising) {
    const level = Math.min(each.full, bytes / weight);
    const take = level === each.full ? each.share.most : level * each.weight;
    wanted.set(each.share.peer.id, take);
    bytes = Math.max(0, bytes - take);
    weight -= each.weight;
  }
  return wanted;
}
