import {
  DEPENDENCY_KINDS,
  HoldfastError,
  isPartitionId,
  MAX_STRIPE_SHARDS,
  type PartitionDependency,
  type PartitionId,
  type PeerId,
} from '@holdfast/contracts';

/** What a relationship matrix is told of a partition. */
export interface PartitionFacts {
  readonly id: PartitionId;
  /** Any k of its n shards rebuild it. */
  readonly k: number;
  readonly n: number;
  /** Peers for each shard; 1 when absent. */
  readonly copies?: number;
  readonly dependencies?: readonly PartitionDependency[];
  /** At c · n + i: who holds the c-th copy of shard i; null or missing: nobody yet. */
  readonly peers?: readonly (PeerId | null)[];
}

/** USAGE, naming partition, field and value. */
export function checkPartition({
  id,
  k,
  n,
  copies = 1,
  dependencies = [],
  peers = [],
}: PartitionFacts): void {
  if (!isPartitionId(id)) throw invalid(id, 'id', id, 'a UUID in lower case');
  checkWhole(id, 'n', n, 2, MAX_STRIPE_SHARDS);
  checkWhole(id, 'k', k, 2, n);
  checkWhole(id, 'copies', copies, 1, MAX_STRIPE_SHARDS);
  const named = new Set<string>();
  for (const { kind, partition } of dependencies) {
    if (!DEPENDENCY_KINDS.includes(kind)) {
      throw invalid(id, 'dependency', kind, `among ${DEPENDENCY_KINDS.join(', ')}`);
    }
    if (!isPartitionId(partition) || partition === id) {
      throw invalid(id, 'dependency', partition, 'the id of another partition');
    }
    const name = `${kind} ${partition}`;
    if (named.has(name)) throw invalid(id, 'dependency', name, 'named once');
    named.add(name);
  }
  if (peers.length > n * copies) throw invalid(id, 'peers', peers.length, `at most ${n * copies}`);
  checkPeers(id, n, peers);
}

function checkPeers(id: PartitionId, n: number, peers: readonly (PeerId | null)[]): void {
  for (let at = 0; at < peers.length; at++) {
    const peer = peers[at];
    if (peer === null || peer === undefined) continue;
    checkPeer(id, peer);
    for (let other = at - n; other >= 0; other -= n) {
      if (peers[other] === peer) throw invalid(id, 'peers', peer, `named once for shard ${at % n}`);
    }
  }
}

export function checkPeer(partition: PartitionId, peer: PeerId): void {
  if (typeof peer !== 'string' || peer === '') throw invalid(partition, 'peer', peer, 'an id');
}

export function checkWhole(
  partition: PartitionId,
  field: string,
  value: number,
  least: number,
  most: number,
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw invalid(partition, field, value, `a whole number from ${least} to ${most}`);
}

export const invalid = (partition: PartitionId, field: string, value: unknown, wanted: string) =>
  new HoldfastError('USAGE', `Partition ${partition}: ${field} is ${value}; it must be ${wanted}.`, {
    details: { partition, field, value },
  });
