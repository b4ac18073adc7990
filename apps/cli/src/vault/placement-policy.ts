import type { PeerId, PeerRecord } from '@holdfast/contracts';
import type { PlacementPolicies, PlacementPolicy, Policy } from '@holdfast/engine';
import { settingInvalid } from '../config/load.ts';
import { nearest } from '../config/nearest.ts';
import type { PlacementRulesConfig } from '../config/placement-schema.ts';
import type { Config } from '../config/schema.ts';

const HOUR_MS = 3_600_000;

/**
 * The configured policy as the engine takes it. CONFIG_INVALID for a failure domain of peers that nobody knows: a limit that
 * counts for nobody would look like protection.
 * @param vault directory, for messages
 */
export async function enginePolicy(
  vault: string,
  { policy, placement }: Config,
  peers: readonly PeerRecord[],
): Promise<Policy> {
  const { version, k, maxPerOperator } = policy;
  const current = placementPolicy(placement, { version, k, maxPerOperator });
  const failureDomains = await domainsOf(vault, placement.failureDomains, peers);
  if (!placement.rollout) return { ...policy, placement: { current, failureDomains } };
  const { percent, previous } = placement.rollout;
  const rollout: PlacementPolicies['rollout'] = {
    percent: percent * 100,
    previous: placementPolicy(previous, {
      version: previous.version,
      k,
      maxPerOperator: previous.maxPerOperator ?? maxPerOperator,
    }),
  };
  return { ...policy, placement: { current, rollout, failureDomains } };
}

function placementPolicy(
  rules: PlacementRulesConfig,
  { version, k, maxPerOperator }: { version: number; k: number; maxPerOperator: number },
): PlacementPolicy {
  return {
    version,
    saltEpoch: rules.saltEpoch,
    mode: { mode: rules.mode, ...rules.hybrid },
    settings: {
      maxPerOperator,
      maxPerFailureDomain: rules.maxPerFailureDomain ?? k - 1,
      minDistinctPeers: rules.minDistinctPeers,
      separationWindows: rules.separationWindows,
      windowHours: rules.window / HOUR_MS,
      separateSiblings: rules.separateSiblings,
      maxLatencyMs: rules.maxLatency,
      maxPacketLoss: rules.maxPacketLoss,
      maxPerRegion: rules.maxPerRegion,
      minContinents: rules.minContinents,
      maxLoad: rules.maxLoad,
      headroomShards: rules.headroomShards,
      minReputation: rules.minReputation,
      reputationFloor: rules.reputationFloor,
      off: rules.off,
    },
  };
}

async function domainsOf(
  vault: string,
  configured: Config['placement']['failureDomains'],
  peers: readonly PeerRecord[],
): Promise<Map<PeerId, string[]>> {
  const byName = Map.groupBy(peers, ({ name }) => name);
  const domains = new Map<PeerId, string[]>();
  for (const [domain, names] of Object.entries(configured)) {
    for (const name of names) {
      const named = byName.get(name);
      if (!named) throw await unknownPeer(vault, domain, name, [...byName.keys()]);
      for (const { id } of named) domains.set(id, [...new Set([...(domains.get(id) ?? []), domain])]);
    }
  }
  return domains;
}

function unknownPeer(vault: string, domain: string, name: string, known: readonly string[]) {
  const suggestion = nearest(name, known);
  const advice = suggestion ? `did you mean "${suggestion}"?` : 'see "holdfast peers"';
  const message = `placement.failureDomains.${domain}: there is no peer "${name}"; ${advice}`;
  return settingInvalid(vault, ['placement', 'failureDomains', domain], message, suggestion);
}
