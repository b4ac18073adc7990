import {
  HoldfastError,
  type MoveNote,
  type PartitionId,
  type PartitionJournal,
  type PeerId,
  type PlacementNote,
  type Stripe,
  uuidToBytes,
} from '@holdfast/contracts';
import { encodeJournalFrames, encodeStripe } from '@holdfast/formats';
import { PARTITION_STATE, type Query } from '../schema.ts';
import type { ChunkIndex } from './chunk-index.ts';
import { addLoad, addToCounters, skipPartitionNumber } from './counters.ts';
import { findPartition, recordFirstHolders, recordNextHolder } from './partitions.ts';
import type { PeerRefs } from './peers.ts';
import { dropPlacement, recordMove, recordPlacement } from './placements.ts';
import { storedFrames, storedStripe } from './stored.ts';

export async function insertJournal(
  query: Query,
  refs: PeerRefs,
  journal: PartitionJournal,
  placement: PlacementNote | undefined,
  now: number,
): Promise<void> {
  const { stripe } = journal;
  const known = await findPartition(query, stripe.id);
  if (known) return refuseOtherContent(stripe, known);
  const { number } = stripe;
  if (await query.selectFrom('partition').select('number').where('number', '=', number).executeTakeFirst()) {
    throw new HoldfastError('ALREADY_EXISTS', `Partition number ${number} is taken.`);
  }
  await query
    .insertInto('partition')
    .values({
      number,
      id: uuidToBytes(stripe.id),
      state: PARTITION_STATE.journalled,
      stripe: encodeStripe(stripe),
    })
    .execute();
  await query
    .insertInto('journal')
    .values({
      partition: number,
      source: journal.source,
      package_key: journal.packageKey,
      acknowledged: withFlags(new Uint8Array(stripe.k + stripe.m), journal.acknowledged),
    })
    .execute();
  await query
    .insertInto('frames')
    .values({ partition: number, frames: encodeJournalFrames(journal.frames), completed: null })
    .execute();
  await recordFirstHolders(query, refs, stripe, now);
  if (placement) await recordPlacement(query, number, placement, now);
  await skipPartitionNumber(query, number);
}

export async function listJournals(query: Query): Promise<PartitionJournal[]> {
  const rows = await query
    .selectFrom('journal')
    .innerJoin('partition', 'number', 'journal.partition')
    .innerJoin('frames', 'frames.partition', 'journal.partition')
    .select(['stripe', 'source', 'frames', 'package_key', 'acknowledged'])
    .orderBy('number')
    .execute();
  return rows.map((row) => ({
    stripe: storedStripe(row.stripe),
    source: row.source,
    frames: storedFrames(row.frames),
    packageKey: row.package_key,
    acknowledged: flagged(row.acknowledged),
  }));
}

export async function acknowledge(
  query: Query,
  acks: readonly { partition: PartitionId; index: number }[],
): Promise<void> {
  for (const [id, own] of Map.groupBy(acks, (ack) => ack.partition)) {
    const row = await query
      .selectFrom('journal')
      .innerJoin('partition', 'number', 'journal.partition')
      .select(['number', 'acknowledged'])
      .where('id', '=', uuidToBytes(id))
      .executeTakeFirst();
    if (!row) continue;
    const acknowledged = withFlags(
      row.acknowledged,
      own.map((ack) => ack.index),
    );
    await query.updateTable('journal').set({ acknowledged }).where('partition', '=', row.number).execute();
  }
}

export async function moveShard(
  query: Query,
  refs: PeerRefs,
  move: { id: PartitionId; index: number; peer: PeerId; since: number; note: MoveNote | undefined },
): Promise<void> {
  const { id, index, peer, note, since } = move;
  const partition = await findPartition(query, id);
  if (!partition || partition.state === PARTITION_STATE.abandoned) throw notFound(id);
  const stripe = storedStripe(partition.stripe);
  const shard = stripe.shards[index];
  if (!shard) throw new HoldfastError('USAGE', `Partition ${id} has no shard ${index}.`);
  if (shard.peer === peer) return;
  const journalled = partition.state === PARTITION_STATE.journalled;
  if (!journalled || (await isAcknowledged(query, partition.number, index))) {
    throw new HoldfastError(
      'USAGE',
      `Shard ${index} of partition ${id} is acknowledged and cannot be moved.`,
    );
  }
  await recordNextHolder(query, refs, { ...move, partition: partition.number });
  const shards = stripe.shards.map((old, i) => (i === index ? { ...old, peer } : old));
  await query
    .updateTable('partition')
    .set({ stripe: encodeStripe({ ...stripe, shards }) })
    .where('number', '=', partition.number)
    .execute();
  if (note) await recordMove(query, { partition: partition.number, shard: index, note, at: since });
}

export async function complete(
  query: Query,
  refs: PeerRefs,
  chunks: ChunkIndex,
  id: PartitionId,
): Promise<Stripe> {
  const partition = await findPartition(query, id);
  if (!partition || partition.state === PARTITION_STATE.abandoned) throw notFound(id);
  const stripe = storedStripe(partition.stripe);
  if (partition.state === PARTITION_STATE.complete) return stripe;
  await leaveJournal(query, partition.number, PARTITION_STATE.complete);
  await chunks.add(query, partition.number);
  const peers = stripe.shards.map((shard) => shard.peer);
  await addLoad(query, await refs.refs(query, peers));
  await addToCounters(query, {
    partitions: 1,
    shards: stripe.shards.length,
    stored_bytes: stripe.shards.length * stripe.sizeClass,
    raw_bytes: stripe.rawSize,
  });
  return stripe;
}

/** The row stays, so that neither its id nor its number is used again and its holders stay known. */
export async function abandon(query: Query, id: PartitionId): Promise<void> {
  const partition = await findPartition(query, id);
  if (partition?.state !== PARTITION_STATE.journalled) return;
  await leaveJournal(query, partition.number, PARTITION_STATE.abandoned);
  await query.deleteFrom('frames').where('partition', '=', partition.number).execute();
  await dropPlacement(query, partition.number);
}

/** Deletes the package key; `secure_delete` overwrites its bytes. */
async function leaveJournal(query: Query, number: number, state: number): Promise<void> {
  await query.deleteFrom('journal').where('partition', '=', number).execute();
  await query.updateTable('partition').set({ state }).where('number', '=', number).execute();
}

async function isAcknowledged(query: Query, partition: number, index: number): Promise<boolean> {
  const row = await query
    .selectFrom('journal')
    .select('acknowledged')
    .where('partition', '=', partition)
    .executeTakeFirstOrThrow();
  return row.acknowledged[index] === 1;
}

/** A copy with a 1 at each of the indices; those outside are ignored. */
function withFlags(flags: Uint8Array, indices: readonly number[]): Uint8Array {
  const copy = flags.slice();
  for (const index of indices) if (index in copy) copy[index] = 1;
  return copy;
}

const flagged = (flags: Uint8Array): number[] => [...flags.keys()].filter((index) => flags[index] === 1);

/** Shard keys derive from the partition's id: other content under a used id would be sealed with used keys. */
function refuseOtherContent(stripe: Stripe, known: { state: number; stripe: Uint8Array }): void {
  if (known.state !== PARTITION_STATE.abandoned) {
    const before = storedStripe(known.stripe);
    if (before.number === stripe.number && before.checksum === stripe.checksum) return;
  }
  throw new HoldfastError('ALREADY_EXISTS', `Partition id ${stripe.id} was used before, for other content.`);
}

const notFound = (id: PartitionId): HoldfastError =>
  new HoldfastError('NOT_FOUND', `Partition ${id} is not in the journal.`);
