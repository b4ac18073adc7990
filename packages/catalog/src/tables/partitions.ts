import {
  HoldfastError,
  type PartitionId,
  type PeerId,
  peerIdFromKey,
  type Stripe,
  uuidToBytes,
} from '@holdfast/contracts';
import { PARTITION_STATE, type Query } from '../schema.ts';
import type { PeerRefs } from './peers.ts';
import { storedStripe } from './stored.ts';

const BATCH = 500;

export const findPartition = (query: Query, id: PartitionId) =>
  query.selectFrom('partition').selectAll().where('id', '=', uuidToBytes(id)).executeTakeFirst();

export async function readStripes(query: Query, numbers: readonly number[]): Promise<(Stripe | null)[]> {
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at < numbers.length; at += BATCH) {
    const rows = await query
      .selectFrom('partition')
      .select(['number', 'stripe'])
      .where('number', 'in', numbers.slice(at, at + BATCH))
      .where('state', '=', PARTITION_STATE.complete)
      .execute();
    for (const row of rows) found.set(row.number, row.stripe);
  }
  return numbers.map((number) => {
    const bytes = found.get(number);
    return bytes ? storedStripe(bytes) : null;
  });
}

export async function readHolders(
  query: Query,
  id: PartitionId,
): Promise<{ index: number; peer: PeerId; since: number }[]> {
  const rows = await query
    .selectFrom('holding')
    .innerJoin('partition', 'number', 'partition')
    .innerJoin('peer', 'ref', 'peer')
    .select(['shard', 'key', 'since'])
    .where('partition.id', '=', uuidToBytes(id))
    .orderBy('position')
    .execute();
  return rows.map(({ shard, key, since }) => ({ index: shard, peer: peerIdFromKey(key), since }));
}

export async function recordFirstHolders(
  query: Query,
  refs: PeerRefs,
  stripe: Stripe,
  since: number,
): Promise<void> {
  const peers = await refs.refs(
    query,
    stripe.shards.map((shard) => shard.peer),
  );
  for (const [index, peer] of peers.entries()) {
    const first = peers.indexOf(peer);
    if (first !== index) throw secondShard(stripe.id, stripe.shards[index]!.peer, first, index);
  }
  const rows = peers.map((peer, shard) => {
    return { partition: stripe.number, peer, shard, since, position: shard, current: 1 };
  });
  await query.insertInto('holding').values(rows).execute();
}

/** The peer becomes the present holder of the shard; those before it stay in the history. */
export async function recordNextHolder(
  query: Query,
  refs: PeerRefs,
  move: { partition: number; id: PartitionId; index: number; peer: PeerId; since: number },
): Promise<void> {
  const [peer] = await refs.refs(query, [move.peer]);
  const { partition, index: shard, since } = move;
  const history = await query.selectFrom('holding').selectAll().where('partition', '=', partition).execute();
  const held = history.find((holding) => holding.peer === peer);
  if (held && held.shard !== shard) throw secondShard(move.id, move.peer, held.shard, shard);
  await query
    .updateTable('holding')
    .set({ current: 0 })
    .where('partition', '=', partition)
    .where('shard', '=', shard)
    .execute();
  await query
    .insertInto('holding')
    .values({ partition, peer: peer!, shard, since, position: history.length, current: 1 })
    .onConflict((c) => c.columns(['partition', 'peer']).doUpdateSet({ current: 1 }))
    .execute();
}

const secondShard = (partition: PartitionId, peer: PeerId, held: number, index: number): HoldfastError =>
  new HoldfastError(
    'PLACEMENT_REFUSED',
    `Peer ${peer} cannot get shard ${index} of partition ${partition}: it holds, or has held, shard ${held}.`,
    { details: { rule: 'one-shard-per-peer', partition, peer, held, index } },
  );
