import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openCatalog } from '@holdfast/catalog';
import { isShardId, type PartitionId, type ShardId, type Stripe } from '@holdfast/contracts';
import { readKeyFile, VaultKeys } from '@holdfast/crypto';
import { vaultLayout } from '../../apps/cli/src/vault/layout.ts';
import type { Peer, Swarm } from './swarm.ts';

export interface ShardOnDisk {
  readonly peer: Peer;
  readonly path: string;
  readonly stripe: Stripe;
  readonly index: number;
}

export interface Observation {
  readonly stripes: readonly Stripe[];
  readonly shards: readonly ShardOnDisk[];
  /** Shard files that belong to no partition the owner knows. */
  readonly unexplained: readonly string[];
}

export interface Separation {
  readonly partitions: number;
  readonly shards: number;
  /** Peers that hold or ever held two shards of one partition, one entry for each such pair. */
  readonly violations: readonly string[];
  /** Operators that hold or ever held k or more shards of one partition. */
  readonly operatorViolations: readonly string[];
  /** The most shards of one partition that the peers of any one operator ever held. */
  readonly mostPerOperator: number;
}

/**
 * Watches who holds what. Looks at the peers' own disks and not only at what the owner believes: a file's name begins
 * with its shard's id, and only the owner's key tells which partition and index that is.
 */
export class Witness {
  readonly #swarm: Swarm;
  /** Partition → peer → every index that it was ever seen or recorded to hold. */
  readonly #seen = new Map<PartitionId, Map<string, Set<number>>>();
  #shards = new Set<ShardId>();
  readonly #thresholds = new Map<PartitionId, number>();

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
  }

  async observe(): Promise<Observation> {
    const { stripes, history } = await this.#catalog();
    const known = await this.#identify(stripes);
    for (const { partition, peer, index } of history) this.#note(partition, peer, index);
    const shards: ShardOnDisk[] = [];
    const unexplained: string[] = [];
    for (const peer of this.#swarm.peers) {
      for (const { id, path } of await shardFiles(peer)) {
        const shard = known.get(id);
        if (!shard) unexplained.push(path);
        else {
          shards.push({ peer, path, ...shard });
          this.#shards.add(id);
          this.#note(shard.stripe.id, peer.id, shard.index);
        }
      }
    }
    return { stripes, shards, unexplained };
  }

  /** Everything observed so far, taken together. */
  verdict(): Separation {
    const operators = new Map(this.#swarm.peers.map((peer) => [peer.id, peer.operator]));
    const violations: string[] = [];
    const operatorViolations: string[] = [];
    let mostPerOperator = 0;
    for (const [partition, holders] of this.#seen) {
      const together = new Map<string, Set<number>>();
      for (const [peer, indices] of holders) {
        if (indices.size > 1)
          violations.push(`${peer} held shards ${[...indices].join(', ')} of ${partition}`);
        const operator = operators.get(peer) ?? peer;
        together.set(operator, new Set([...(together.get(operator) ?? []), ...indices]));
      }
      for (const [operator, indices] of together) {
        mostPerOperator = Math.max(mostPerOperator, indices.size);
        if (indices.size >= (this.#thresholds.get(partition) ?? 0)) {
          operatorViolations.push(`${operator} held ${indices.size} shards of ${partition}`);
        }
      }
    }
    const [partitions, shards] = [this.#seen.size, this.#shards.size];
    return { partitions, shards, violations, operatorViolations, mostPerOperator };
  }

  #note(partition: PartitionId, peer: string, index: number): void {
    const holders = this.#seen.get(partition) ?? new Map<string, Set<number>>();
    this.#seen.set(partition, holders.set(peer, (holders.get(peer) ?? new Set()).add(index)));
  }

  async #catalog() {
    const catalog = await openCatalog(vaultLayout(this.#swarm.vault).catalog, { readonly: true });
    try {
      const { partitions } = await catalog.totals();
      const stripes = new Map<PartitionId, Stripe>();
      for (let first = 1, found = -1; stripes.size < partitions && stripes.size > found; first += 10_000) {
        found = stripes.size;
        const page = await catalog.stripes(Array.from({ length: 10_000 }, (_, i) => first + i));
        for (const stripe of page) if (stripe) stripes.set(stripe.id, stripe);
      }
      for (const { stripe } of await catalog.journalledPartitions()) stripes.set(stripe.id, stripe);
      for (const { manifest } of await catalog.snapshots()) stripes.set(manifest.id, manifest);
      const history: { partition: PartitionId; peer: string; index: number }[] = [];
      for (const { id, k } of stripes.values()) {
        this.#thresholds.set(id, k);
        for (const { peer, index } of await catalog.holders(id)) history.push({ partition: id, peer, index });
      }
      return { stripes: [...stripes.values()], history };
    } finally {
      await catalog.close();
    }
  }

  async #identify(stripes: readonly Stripe[]): Promise<Map<ShardId, { stripe: Stripe; index: number }>> {
    using keys = VaultKeys.fromRoot(await readKeyFile(vaultLayout(this.#swarm.vault).rootKey));
    const known = new Map<ShardId, { stripe: Stripe; index: number }>();
    for (const stripe of stripes) {
      for (const index of stripe.shards.keys()) {
        known.set(keys.shardId(stripe.epoch, stripe.id, index), { stripe, index });
      }
    }
    return known;
  }
}

/** Every file below the peer's directory whose name begins with a shard id, wherever it lies. */
async function shardFiles(peer: Peer): Promise<{ id: ShardId; path: string }[]> {
  const entries = await readdir(peer.directory, { recursive: true, withFileTypes: true });
  const found: { id: ShardId; path: string }[] = [];
  for (const entry of entries) {
    const id = entry.name.slice(0, 64);
    if (entry.isFile() && isShardId(id)) found.push({ id, path: join(entry.parentPath, entry.name) });
  }
  return found;
}
