import { type CatalogTotals, peerIdFromKey } from '@holdfast/contracts';
import type { CounterName, Query } from '../schema.ts';
import type { ChunkIndex } from './chunk-index.ts';

export async function addToCounters(
  query: Query,
  amounts: Partial<Record<CounterName, number>>,
): Promise<void> {
  for (const [name, amount] of Object.entries(amounts) as [CounterName, number][]) {
    await query
      .updateTable('counter')
      .set((e) => ({ value: e('value', '+', amount) }))
      .where('name', '=', name)
      .execute();
  }
}

/** Takes `count` numbers that nobody had before; returns the first. */
export async function takePartitionNumbers(query: Query, count: number): Promise<number> {
  const { value } = await query
    .updateTable('counter')
    .set((e) => ({ value: e('value', '+', count) }))
    .where('name', '=', 'next_partition')
    .returning('value')
    .executeTakeFirstOrThrow();
  return value - count;
}

/** A number that came from elsewhere (a rebuilt catalog) must not be given out again. */
export async function skipPartitionNumber(query: Query, number: number): Promise<void> {
  await query
    .updateTable('counter')
    .set({ value: number + 1 })
    .where('name', '=', 'next_partition')
    .where('value', '<=', number)
    .execute();
}

/** One shard more for each of the peers. */
export async function addLoad(query: Query, peers: readonly number[]): Promise<void> {
  await query
    .insertInto('peer_load')
    .values(peers.map((peer) => ({ peer, shards: 1 })))
    .onConflict((c) => c.column('peer').doUpdateSet((e) => ({ shards: e('peer_load.shards', '+', 1) })))
    .execute();
}

export async function readCounters(query: Query): Promise<(name: CounterName) => number> {
  const counters = await query.selectFrom('counter').selectAll().execute();
  return (name) => counters.find((counter) => counter.name === name)?.value ?? 0;
}

export async function readTotals(query: Query, chunks: ChunkIndex): Promise<CatalogTotals> {
  const value = await readCounters(query);
  const loads = await query.selectFrom('peer_load').innerJoin('peer', 'ref', 'peer').selectAll().execute();
  const { snapshots } = await query
    .selectFrom('snapshot')
    .select((e) => e.fn.countAll<number>().as('snapshots'))
    .executeTakeFirstOrThrow();
  return {
    snapshots,
    partitions: value('partitions'),
    chunks: value('chunks') + (await chunks.countWaiting(query)),
    shards: value('shards'),
    storedBytes: value('stored_bytes'),
    rawBytes: value('raw_bytes'),
    shardsByPeer: new Map(loads.map(({ key, shards }) => [peerIdFromKey(key), shards])),
  };
}
