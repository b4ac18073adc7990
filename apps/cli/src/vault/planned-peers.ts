import type { PeerId, PeerRecord } from '@holdfast/contracts';
import { type Candidate, candidatesFrom } from '@holdfast/placement';
import type { OpenSwarm } from './open-swarm.ts';
import { PeerNames } from './peer-names.ts';
import { probePeers } from './probe.ts';

export interface PlannedPeers {
  readonly candidates: readonly Candidate[];
  readonly names: PeerNames;
  /** Admitted peers that are left out, each with its reason. */
  readonly leftOut: readonly { readonly peer: PeerRecord; readonly reason: string }[];
}

/** The vault's peers as they are now: those that answer, with the room that they have. */
export async function plannedPeers(swarm: OpenSwarm, signal: AbortSignal): Promise<PlannedPeers> {
  const { catalog, config, transport } = swarm;
  const peers = (await catalog.peers()).filter((peer) => peer.state === 'active');
  const probes = await probePeers(transport, peers, { timeout: config.network.probeTimeout, signal });
  const statuses = new Map(
    probes.flatMap(({ peer, status }) => (status ? [[peer.id, status] as const] : [])),
  );
  const { candidates, rejected } = candidatesFrom(peers, statuses);
  const byId = new Map<PeerId, PeerRecord>(peers.map((peer) => [peer.id, peer]));
  return {
    candidates,
    names: new PeerNames(peers),
    leftOut: rejected.map(({ peer, reason }) => ({ peer: byId.get(peer)!, reason })),
  };
}
