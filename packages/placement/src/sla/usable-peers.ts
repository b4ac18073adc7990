import type { PeerId } from '@holdfast/contracts';
import { type Candidate, checkCandidates } from '../candidate.ts';
import type { PlacementSettings } from '../placement-rules.ts';
import { continentKey } from '../rules/continent-spread.ts';
import { regionKey } from '../rules/region-spread.ts';
import type { SlaSettings } from './settings.ts';

/** A candidate that the hard rules let have a shard, with what the planner looks at. */
export interface UsablePeer {
  readonly id: PeerId;
  readonly operator: string;
  /** First two components. */
  readonly region: string;
  readonly continent: string;
  /** Share of time in which it does not answer. */
  readonly failure: number;
  /** The failure is an assumption. */
  readonly isAssumed: boolean;
}

/** What the planner is run on; prepared once for all codes. */
export interface UsablePeers {
  readonly candidates: readonly Candidate[];
  /** Least reliable first. */
  readonly peers: readonly UsablePeer[];
  /** By region, by operator. */
  readonly regions: ReadonlyMap<string, readonly UsablePeer[]>;
  readonly operators: ReadonlyMap<string, readonly UsablePeer[]>;
  readonly continents: number;
}

/** USAGE for candidates that make no sense, naming peer and field. */
export function usablePeers(
  candidates: readonly Candidate[],
  { shardBytes, assumedUptime }: SlaSettings,
  { reputationFloor }: Pick<PlacementSettings, 'reputationFloor'>,
): UsablePeers {
  checkCandidates(candidates);
  const usable = candidates.filter(
    (peer) => peer.freeBytes >= shardBytes && (peer.reputation ?? 1) >= reputationFloor,
  );
  const peers = usable
    .map(({ id, operator, region, uptime }) => ({
      id,
      operator,
      region: regionKey(region),
      continent: continentKey(region),
      failure: 1 - (uptime ?? assumedUptime),
      isAssumed: uptime === undefined,
    }))
    .sort((a, b) => b.failure - a.failure || (a.id < b.id ? -1 : 1));
  return {
    candidates: usable,
    peers,
    regions: Map.groupBy(peers, (peer) => peer.region),
    operators: Map.groupBy(peers, (peer) => peer.operator),
    continents: new Set(peers.map((peer) => peer.continent)).size,
  };
}

export function meanFailure({ peers }: UsablePeers): number {
  return peers.reduce((sum, peer) => sum + peer.failure, 0) / Math.max(1, peers.length);
}
