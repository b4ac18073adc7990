import type { PeerId, ShardId } from '@holdfast/contracts';
import type { TestVault } from './test-vault.ts';

/**
 * Every rule broken by what the stores hold and by the history of holders, worked out from the owner's keys, the
 * stores and the peers' records alone; shares nothing with the code that assigns shards.
 */
export async function separationViolations(vault: TestVault): Promise<string[]> {
  const violations: string[] = [];
  const { catalog, context, stores } = vault;
  const operators = new Map((await catalog.peers()).map(({ id, operator }) => [id, operator]));
  const attributed = new Set<string>();
  for (const { id, epoch, k, shards } of catalog.partitionsEver.values()) {
    const ids = shards.map((_, index) => context.keys.shardId(epoch, id, index));
    const byPeer = new Map<PeerId, Set<number>>();
    const note = (peer: PeerId, index: number): void => {
      byPeer.set(peer, (byPeer.get(peer) ?? new Set()).add(index));
    };
    for (const [peer, store] of stores) {
      for (const [index, held] of (await store.has(context.owner, ids)).entries()) {
        if (!held) continue;
        note(peer, index);
        attributed.add(`${peer} ${held.id}`);
      }
    }
    for (const { peer, index } of await catalog.holders(id)) note(peer, index);
    const byOperator = new Map<string, Set<number>>();
    for (const [peer, indices] of byPeer) {
      if (indices.size > 1)
        violations.push(`${peer} has, or had, shards ${[...indices]} of partition ${id}.`);
      const operator = operators.get(peer)!;
      byOperator.set(operator, new Set([...(byOperator.get(operator) ?? []), ...indices]));
    }
    for (const [operator, indices] of byOperator) {
      if (indices.size > Math.min(k - 1, context.policy.maxPerOperator))
        violations.push(`${operator} has, or had, ${indices.size} shards of partition ${id}.`);
    }
  }
  for (const [peer, store] of stores) {
    for (const { id } of store.all()) {
      if (!attributed.has(`${peer} ${id}`)) violations.push(`${peer} holds ${id}, which nobody knows.`);
    }
  }
  return violations;
}

/** Where each shard of all partitions lies now, for tests that damage some. */
export function shardsOf(
  vault: TestVault,
  partition: string,
): { index: number; id: ShardId; peer: PeerId }[] {
  const stripe = [...vault.catalog.partitionsEver.values()].find(({ id }) => id === partition)!;
  return stripe.shards.map((_, index) => {
    const id = vault.context.keys.shardId(stripe.epoch, stripe.id, index);
    const peer = [...vault.stores].find(([, store]) => store.all().some((shard) => shard.id === id))![0];
    return { index, id, peer };
  });
}
