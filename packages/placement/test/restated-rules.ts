import type { PeerId } from '@holdfast/contracts';
import type { PeerFact, PlacedHolder, RecordedPlacement } from '@holdfast/placement';

/** A broken rule as `name measured limit`; soft ones begin with `soft`. */
export type Breach = string;

/** All rules once more, each from its definition, by walking through all peers, shards and pairs; nothing is shared or quick. */
export function breaches(record: RecordedPlacement): Breach[] {
  const { rules } = record;
  const soft = [...overTheWhole(record), ...peerByPeer(record)].filter(
    (breach) => !rules.off.some((rule) => breach.startsWith(`soft ${rule} `)),
  );
  return [...whereShardsAre(record), ...whoHasWhat(record), ...whoMayHave(record), ...soft].sort();
}

const present = ({ past, until }: PlacedHolder): boolean => !past && until === undefined;

function counts({ rules, now }: RecordedPlacement, { until }: { until?: number | undefined }): boolean {
  return until === undefined || until + rules.separationWindows * rules.windowHours * 3600 * 1000 > now;
}

function whereShardsAre({ placed, rules }: RecordedPlacement): Breach[] {
  const found: Breach[] = [];
  const n = rules.k + rules.m;
  for (const { index } of placed)
    if (!(index in new Array(n).fill(0))) found.push(`unknown-index ${index} ${n - 1}`);
  for (let i = 0; i < n; i++) {
    const peers = new Set(
      placed.filter((holder) => present(holder) && holder.index === i).map(({ peer }) => peer),
    );
    if (peers.size === 0) found.push(`unplaced 0 ${rules.copies}`);
    else if (peers.size < rules.copies) found.push(`copies ${peers.size} ${rules.copies}`);
  }
  const all = new Set(placed.filter(present).map(({ peer }) => peer)).size;
  if (all < rules.minDistinctPeers) found.push(`min-distinct-peers ${all} ${rules.minDistinctPeers}`);
  return found;
}

function whoHasWhat(record: RecordedPlacement): Breach[] {
  const { placed, facts, rules, siblings = [] } = record;
  const found: Breach[] = [];
  const different = (isOne: (peer: PeerId) => boolean): number =>
    new Set(placed.filter((holder) => isOne(holder.peer) && counts(record, holder)).map(({ index }) => index))
      .size;
  for (const peer of new Set(placed.map((holder) => holder.peer))) {
    const own = different((other) => other === peer);
    if (own >= 2) found.push(`one-shard-per-peer ${own} 1`);
    const foreign = siblings.filter((sibling) => sibling.peer === peer && counts(record, sibling)).length;
    if (rules.separateSiblings && own > 0 && foreign > 0) found.push(`sibling-separation ${foreign} 0`);
  }
  for (const { peer } of placed) if (!facts.has(peer)) found.push('unknown-peer null null');
  for (const operator of new Set([...facts.values()].map((fact) => fact.operator))) {
    const limit = Math.min(rules.maxPerOperator, rules.k - 1);
    const held = different((peer) => facts.get(peer)?.operator === operator);
    if (held > limit) found.push(`operator-limit ${held} ${limit}`);
  }
  for (const domain of new Set([...facts.values()].flatMap((fact) => fact.failureDomains ?? []))) {
    const limit = Math.min(rules.maxPerFailureDomain, rules.k - 1);
    const held = different((peer) => facts.get(peer)?.failureDomains?.includes(domain) ?? false);
    if (held > limit) found.push(`failure-domain-limit ${held} ${limit}`);
  }
  return found;
}

/** Each present holder of each shard, once, with what is known of it. */
function holders({ placed, facts }: RecordedPlacement): PeerFact[] {
  const seen = new Set<string>();
  return placed.filter(present).flatMap(({ index, peer }) => {
    const fact = facts.get(peer);
    if (seen.has(`${index}/${peer}`) || !fact) return [];
    seen.add(`${index}/${peer}`);
    return [fact];
  });
}

function whoMayHave(record: RecordedPlacement): Breach[] {
  const { rules, now } = record;
  return holders(record).flatMap(({ member, certificate, reputation = 1, freeBytes }) => {
    const found: Breach[] = [];
    if (member === false) found.push('membership null null');
    if (certificate) {
      const { validFrom, validUntil, revokedAt = Number.POSITIVE_INFINITY } = certificate;
      if (revokedAt <= now) found.push(`certificate ${now} ${revokedAt}`);
      else if (now < validFrom) found.push(`certificate ${now} ${validFrom}`);
      else if (now >= validUntil) found.push(`certificate ${now} ${validUntil}`);
    }
    if (reputation < rules.reputationFloor)
      found.push(`reputation-floor ${reputation} ${rules.reputationFloor}`);
    if (freeBytes !== undefined && freeBytes < rules.shardBytes)
      found.push(`room ${freeBytes} ${rules.shardBytes}`);
    return found;
  });
}

function overTheWhole(record: RecordedPlacement): Breach[] {
  const { rules } = record;
  const found: Breach[] = [];
  const all = holders(record);
  const average = all.reduce((sum, { latencyMs = rules.maxLatencyMs }) => sum + latencyMs, 0) / all.length;
  if (average > rules.maxLatencyMs + 1e-6)
    found.push(`soft latency ${average.toFixed(6)} ${rules.maxLatencyMs}`);
  const place = (region: string, parts: number) => region.split('/').slice(0, parts).join('/');
  for (const region of new Set(all.map((fact) => place(fact.region, 2)))) {
    const inIt = all.filter((fact) => place(fact.region, 2) === region).length;
    if (inIt > rules.maxPerRegion) found.push(`soft region ${inIt} ${rules.maxPerRegion}`);
  }
  const continents = new Set(all.map((fact) => place(fact.region, 1))).size;
  if (continents < rules.minContinents) found.push(`soft continent ${continents} ${rules.minContinents}`);
  return found;
}

function peerByPeer(record: RecordedPlacement): Breach[] {
  const { rules } = record;
  return holders(record).flatMap(({ packetLoss, reputation, freeBytes, capacityBytes }) => {
    const found: Breach[] = [];
    if (packetLoss !== undefined && packetLoss >= rules.maxPacketLoss) {
      found.push(`soft packet-loss ${packetLoss} ${rules.maxPacketLoss}`);
    }
    if (reputation !== undefined && reputation <= rules.minReputation) {
      found.push(`soft reputation ${reputation} ${rules.minReputation}`);
    }
    if (freeBytes !== undefined && freeBytes < rules.headroomShards * rules.shardBytes) {
      found.push(`soft load ${freeBytes} ${rules.headroomShards * rules.shardBytes}`);
    }
    if (freeBytes !== undefined && capacityBytes !== undefined) {
      const used = capacityBytes - freeBytes + rules.shardBytes;
      const most = rules.maxLoad * capacityBytes;
      if (used > most) found.push(`soft load ${used} ${most}`);
    }
    return found;
  });
}
