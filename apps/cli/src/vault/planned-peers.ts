import { type PeerId, type PeerRecord, PROBE_HOUR_MS, PROBE_HOURS_KEPT } from '@holdfast/contracts';
import {
  type Candidate,
  candidatesFrom,
  type PeerMeasurements,
  type PlacementSettings,
} from '@holdfast/placement';
import type { OpenSwarm } from './open-swarm.ts';
import { PeerNames } from './peer-names.ts';
import { enginePolicy } from './placement-policy.ts';
import { type Probe, probePeers } from './probe.ts';
import { recordProbes } from './record-probes.ts';
import { PRIOR_HOURS, uptimes } from './uptime.ts';

export interface PlannedPeers {
  readonly candidates: readonly Candidate[];
  readonly names: PeerNames;
  /** The configured rules. Operators' limit is the plan's to choose, and that of failure domains where none is set. */
  readonly rules: Partial<PlacementSettings>;
  /** Admitted peers that are left out, each with its reason. */
  readonly leftOut: readonly { readonly peer: PeerRecord; readonly reason: string }[];
}

/** The vault's peers as they are now: those that answer, with the room that they have and the uptime they were found to have. */
export async function plannedPeers(
  swarm: OpenSwarm,
  signal: AbortSignal,
  now: number,
): Promise<PlannedPeers> {
  const { catalog, config, transport } = swarm;
  const everybody = await catalog.peers();
  const { placement } = await enginePolicy(swarm.directory, config, everybody);
  const peers = everybody.filter((peer) => peer.state === 'active');
  const probes = await probePeers(transport, peers, { timeout: config.network.probeTimeout, signal });
  await recordProbes(swarm, probes, now);
  const statuses = new Map(
    probes.flatMap(({ peer, status }) => (status ? [[peer.id, status] as const] : [])),
  );
  const measurements = await measured(swarm, probes, placement?.failureDomains, now);
  const { candidates, rejected } = candidatesFrom(peers, statuses, { measurements, now });
  const byId = new Map<PeerId, PeerRecord>(peers.map((peer) => [peer.id, peer]));
  const { maxPerOperator: _, maxPerFailureDomain: __, ...rules } = placement!.current.settings;
  const perDomain = config.placement.maxPerFailureDomain;
  return {
    candidates,
    names: new PeerNames(peers),
    rules: { ...rules, ...(perDomain === undefined ? {} : { maxPerFailureDomain: perDomain }) },
    leftOut: rejected.map(({ peer, reason }) => ({ peer: byId.get(peer)!, reason })),
  };
}

/** An uptime is measured once what was seen outweighs what is assumed of any peer; the planner assumes for itself. */
async function measured(
  { catalog }: OpenSwarm,
  probes: readonly Probe[],
  failureDomains: ReadonlyMap<PeerId, readonly string[]> | undefined,
  now: number,
): Promise<Map<PeerId, PeerMeasurements>> {
  const known = uptimes(await catalog.peerProbes(now - PROBE_HOURS_KEPT * PROBE_HOUR_MS));
  const uptimeOf = (peer: PeerId): number | undefined => {
    const found = known.get(peer);
    return found && found.hours >= PRIOR_HOURS ? found.uptime : undefined;
  };
  return new Map(
    probes.map(({ peer, roundTrip }) => [
      peer.id,
      {
        latencyMs: roundTrip ?? undefined,
        uptime: uptimeOf(peer.id),
        failureDomains: failureDomains?.get(peer.id) ?? [],
      },
    ]),
  );
}
