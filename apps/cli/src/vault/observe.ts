import type { CatalogTotals, PartitionJournal, PlacementTotals, SnapshotRecord } from '@holdfast/contracts';
import { keyFileFingerprint } from '@holdfast/crypto';
import { readState } from '../agent/state-file.ts';
import type { Config, PolicyConfig } from '../config/schema.ts';
import { isProtected } from '../protect/configured.ts';
import { type ProtectionStatus, protectionStatus } from '../protect/protection-status.ts';
import { formatCount } from '../units/count.ts';
import { formatMoment } from '../units/duration.ts';
import { failedDrills } from './failed-drills.ts';
import { vaultLayout } from './layout.ts';
import { type Margins, measureMargins } from './margins.ts';
import type { OpenSwarm } from './open-swarm.ts';
import { overdueSources } from './overdue-sources.ts';
import { PeerNames } from './peer-names.ts';
import { type Probe, probePeers } from './probe.ts';

export interface VaultState {
  readonly vault: string;
  readonly fingerprint: string;
  readonly policy: Pick<PolicyConfig, 'k' | 'm' | 'helpers' | 'maxPerOperator'>;
  readonly probes: readonly Probe[];
  readonly unreachable: readonly Probe[];
  readonly snapshots: number;
  /** The newest snapshot of each configured source, and of each that has snapshots; null: none yet. */
  readonly latest: ReadonlyMap<string, SnapshotRecord | null>;
  readonly totals: CatalogTotals;
  readonly margins: Margins;
  readonly placements: PlacementTotals;
  readonly unfinished: readonly PartitionJournal[];
  /** Sources under continuous protection. */
  readonly protection: readonly ProtectionStatus[];
  /** What needs attention, in words. */
  readonly warnings: readonly string[];
}

/** What there is to know without fetching data: catalog, and one small question to each peer. */
export async function observe(swarm: OpenSwarm, signal: AbortSignal, now: number): Promise<VaultState> {
  const { catalog, config } = swarm;
  const peers = (await catalog.peers()).filter((peer) => peer.state === 'active');
  const probes = await probePeers(swarm.transport, peers, { timeout: config.network.probeTimeout, signal });
  const reachable = new Set(probes.filter((probe) => probe.status).map((probe) => probe.peer.id));
  const snapshots = await catalog.snapshots();
  const known = {
    vault: swarm.directory,
    fingerprint: await keyFileFingerprint(vaultLayout(swarm.directory).rootKey),
    policy: config.policy,
    probes,
    unreachable: probes.filter((probe) => !probe.status),
    snapshots: snapshots.length,
    latest: latestBySource(backedUp(config), snapshots),
    totals: await catalog.totals(),
    margins: await measureMargins(catalog, reachable),
    placements: await catalog.placementTotals(),
    unfinished: await catalog.journalledPartitions(),
    protection: await protectionStatus(swarm.directory, config, snapshots, now),
  };
  const { state } = await readState(swarm.directory);
  const recurring = [...overdueSources(config, snapshots, now), ...failedDrills(config, state, now)];
  const ofProtection = known.protection.flatMap((status) => status.warnings);
  return { ...known, warnings: [...warnings(known), ...recurring, ...ofProtection] };
}

/** Names that ought to have snapshots of their own. Protection may be all that a source has. */
const backedUp = ({ sources }: Config): string[] =>
  Object.entries(sources)
    .filter(([, source]) => !isProtected(source) || source.schedule)
    .map(([name]) => name);

function latestBySource(
  configured: readonly string[],
  snapshots: readonly SnapshotRecord[],
): Map<string, SnapshotRecord | null> {
  const latest = new Map<string, SnapshotRecord | null>(configured.map((name) => [name, null]));
  for (const snapshot of snapshots) latest.set(snapshot.source, snapshot);
  return latest;
}

function warnings(state: Omit<VaultState, 'warnings'>): string[] {
  const { k, m, maxPerOperator } = state.policy;
  const { probes, unreachable, margins } = state;
  const found: string[] = [];
  const names = new PeerNames(probes.map((probe) => probe.peer));
  for (const { peer, failure } of unreachable) {
    const why = names.inWords(failure?.message ?? 'it does not answer');
    found.push(why.includes(peer.name) ? why : `${peer.name}: ${why}`);
  }
  const answering = probes.length - unreachable.length;
  if (answering < k + m) {
    found.push(`New backups need ${k + m} peers (k + m); ${answering} of ${probes.length} answer.`);
  } else {
    const room = operatorRoom(probes, maxPerOperator);
    if (room < k + m) {
      found.push(
        `New backups need ${k + m} places with at most ${maxPerOperator} on one operator; there are ${room}.`,
      );
    }
  }
  if (margins.least !== null && margins.least >= 0 && margins.least < m) {
    const weakest = margins.byMargin.get(margins.least);
    const bearable = margins.least === 0 ? 'no more peer' : `only ${formatCount(margins.least, 'more peer')}`;
    found.push(
      `${weakest} of ${margins.partitions} partitions can bear the loss of ${bearable}, instead of ${m}.`,
    );
  }
  found.push(...relaxedPlacements(state.placements));
  for (const [name, snapshot] of state.latest) {
    if (snapshot === null) found.push(`"${name}" was never backed up.`);
    else if (!snapshot.complete) found.push(`The newest snapshot of "${name}" is incomplete.`);
  }
  return found;
}

/** Soft rules give way so that backups go on; never in silence. */
function relaxedPlacements({ relaxed, recorded, unrecorded, rules }: PlacementTotals): string[] {
  const [newest] = [...rules.values()].sort((a, b) => b.newest.at - a.newest.at);
  if (relaxed === 0 || !newest) return [];
  const which = [...rules].map(([rule, { placements }]) => `${rule} (${formatCount(placements)})`).join(', ');
  const all = formatCount(recorded + unrecorded, 'partition');
  const { at, reason } = newest.newest;
  return [
    `${formatCount(relaxed)} of ${all} were placed with relaxed rules: ${which}. The newest, ${formatMoment(at)}: ${reason}.`,
  ];
}

/** Shards of one partition that reachable peers could take under the operator limit. */
function operatorRoom(probes: readonly Probe[], maxPerOperator: number): number {
  const byOperator = new Map<string, number>();
  for (const { peer, status } of probes) {
    if (status) byOperator.set(peer.operator, (byOperator.get(peer.operator) ?? 0) + 1);
  }
  return [...byOperator.values()].reduce((sum, peers) => sum + Math.min(peers, maxPerOperator), 0);
}
