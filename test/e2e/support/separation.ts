import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { bytesToUuid, type PartitionId } from '@holdfast/contracts';
import { readKeyFile, VaultKeys } from '@holdfast/crypto';
import type { Lab } from './lab.ts';
import type { StoredFile } from './peer-disks.ts';

export interface SeparationFacts {
  /** Shards of the vault on the peers' disks. */
  readonly shards: number;
  readonly partitions: number;
  /** One line for each rule broken. */
  readonly violations: readonly string[];
}

/** Key epochs do not rotate yet. */
const EPOCH = 1;

/**
 * Looks at what lies on the peers' disks, and works out from the owner's keys alone which partition each shard
 * belongs to; what the catalog believes about placements plays no part. No peer may have two different shards of one
 * partition, no operator `k` of them, and nothing may lie there that the catalog does not know of.
 */
export async function checkSeparation(lab: Lab, files: readonly StoredFile[]): Promise<SeparationFacts> {
  const owners = await shardOwners(lab);
  const violations: string[] = [];
  const byPeer = new Map<string, string>();
  const byOperator = new Map<string, Set<number>>();
  const partitions = new Set<string>();
  for (const { peer, operator, shard } of files) {
    const place = owners.get(shard);
    if (!place) {
      violations.push(`Peer ${peer} has shard ${shard}, which belongs to no partition of the catalog.`);
      continue;
    }
    const { partition, index } = place;
    partitions.add(partition);
    const before = byPeer.get(`${peer} ${partition}`);
    if (before !== undefined && before !== shard)
      violations.push(`Peer ${peer} has two shards of partition ${partition}: ${before} and ${shard}.`);
    byPeer.set(`${peer} ${partition}`, shard);
    const key = `${operator} ${partition}`;
    byOperator.set(key, (byOperator.get(key) ?? new Set()).add(index));
  }
  for (const [key, indices] of byOperator) {
    if (indices.size >= lab.plan.k)
      violations.push(`${key}: ${indices.size} different shards at one operator.`);
  }
  return { shards: files.length, partitions: partitions.size, violations };
}

async function shardOwners(lab: Lab): Promise<Map<string, { partition: string; index: number }>> {
  using keys = VaultKeys.fromRoot(await readKeyFile(join(lab.vault, 'keys', 'root.key')));
  const owners = new Map<string, { partition: string; index: number }>();
  for (const partition of partitionIds(lab.vault)) {
    for (let index = 0; index < lab.plan.k + lab.plan.m; index++)
      owners.set(keys.shardId(EPOCH, partition, index), { partition, index });
  }
  return owners;
}

/** All that there ever were: complete, under way, and given up. */
function partitionIds(vault: string): PartitionId[] {
  const database = new DatabaseSync(join(vault, 'catalog.sqlite'), { readOnly: true });
  try {
    const rows = database.prepare('SELECT id FROM "partition"').all() as { id: Uint8Array }[];
    return rows.map(({ id }) => bytesToUuid(id) as PartitionId);
  } finally {
    database.close();
  }
}
