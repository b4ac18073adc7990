import {
  HoldfastError,
  type PartitionId,
  type PartitionJournal,
  type PeerId,
  type Stripe,
} from '@holdfast/contracts';

export type Entry =
  | { readonly state: 'journalled'; readonly journal: PartitionJournal; readonly acknowledged: Set<number> }
  | { readonly state: 'complete'; readonly stripe: Stripe }
  | { readonly state: 'abandoned'; readonly number: number };

const MAX_BATCH = 10_000;

export const notFound = (partition: PartitionId) =>
  new HoldfastError('NOT_FOUND', `Partition ${partition} is not in the journal.`);

export const secondShard = (partition: PartitionId, peer: PeerId, held: number, index: number) =>
  new HoldfastError(
    'PLACEMENT_REFUSED',
    `Peer ${peer} cannot get shard ${index} of partition ${partition}: it holds, or has held, shard ${held}.`,
  );

export function refuseSecondShard(
  partition: PartitionId,
  shards: Stripe['shards'],
  index: number,
  peer: PeerId,
): void {
  const first = shards.findIndex((shard) => shard.peer === peer);
  if (first !== index) throw secondShard(partition, peer, first, index);
}

/** Shard keys derive from the partition's id: other content under a used id would be sealed with used keys. */
export function refuseOtherContent(stripe: Stripe, known: Entry): void {
  const before =
    known.state === 'complete' ? known.stripe : known.state === 'journalled' ? known.journal.stripe : null;
  if (before && before.number === stripe.number && before.checksum === stripe.checksum) return;
  throw new HoldfastError('ALREADY_EXISTS', `Partition id ${stripe.id} was used before, for other content.`);
}

export function limitBatch(what: string, length: number): void {
  if (length > MAX_BATCH)
    throw new HoldfastError('USAGE', `${length} ${what} in one call; at most ${MAX_BATCH}.`);
}
