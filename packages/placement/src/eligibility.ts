import type { PeerId, PeerRecord, PeerStatus } from '@holdfast/contracts';
import type { Candidate } from './candidate.ts';

export interface RejectedPeer {
  readonly peer: PeerId;
  readonly reason: string;
}

/**
 * Hard: only peers that are members in good standing get shards. A status counts as proof of a valid certificate,
 * since the transport obtains one from no other peer. Its figures are the peer's own word: those that cannot be true
 * rule the peer out instead of spoiling the comparison with others.
 * @param statuses of the peers that answered
 */
export function candidatesFrom(
  peers: readonly PeerRecord[],
  statuses: ReadonlyMap<PeerId, PeerStatus>,
): { readonly candidates: Candidate[]; readonly rejected: RejectedPeer[] } {
  const candidates: Candidate[] = [];
  const rejected: RejectedPeer[] = [];
  for (const peer of peers) {
    const status = statuses.get(peer.id);
    const reason = reasonAgainst(peer, status);
    if (reason !== null || status === undefined)
      rejected.push({ peer: peer.id, reason: reason ?? 'no status' });
    else candidates.push({ id: peer.id, operator: peer.operator, region: peer.region, ...roomFor(status) });
  }
  return { candidates, rejected };
}

function reasonAgainst(peer: PeerRecord, status: PeerStatus | undefined): string | null {
  if (peer.state !== 'active') return 'has left the swarm';
  if (!status) return 'did not answer with a valid certificate';
  if (status.id !== peer.id) return `answers as ${status.id}`;
  for (const field of ['capacityBytes', 'usedBytes', 'ownerQuotaBytes', 'ownerUsedBytes'] as const) {
    if (!Number.isSafeInteger(status[field]) || status[field] < 0) return `reports ${field} ${status[field]}`;
  }
  return null;
}

/** Whichever is tighter for this owner: the peer's disk or the owner's quota on it. */
function roomFor(status: PeerStatus): Pick<Candidate, 'freeBytes' | 'capacityBytes'> {
  const disk = Math.max(0, status.capacityBytes - status.usedBytes);
  const quota = Math.max(0, status.ownerQuotaBytes - status.ownerUsedBytes);
  return disk <= quota
    ? { freeBytes: disk, capacityBytes: status.capacityBytes }
    : { freeBytes: quota, capacityBytes: status.ownerQuotaBytes };
}
