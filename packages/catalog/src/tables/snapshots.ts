import {
  bytesToUuid,
  HoldfastError,
  type SnapshotId,
  type SnapshotRecord,
  uuidToBytes,
} from '@holdfast/contracts';
import { encodeStripe } from '@holdfast/formats';
import type { Selectable } from 'kysely';
import type { Query, Schema } from '../schema.ts';
import { storedStripe, storedTags } from './stored.ts';

export async function insertSnapshot(query: Query, snapshot: SnapshotRecord): Promise<void> {
  const { id, sequence, totals } = snapshot;
  if (await findSnapshot(query, id)) return;
  const newest = await query
    .selectFrom('snapshot')
    .select('sequence')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (newest && sequence !== newest.sequence + 1) {
    throw new HoldfastError(
      sequence <= newest.sequence ? 'ALREADY_EXISTS' : 'USAGE',
      `Snapshot ${id} has sequence ${sequence}, but the next one is ${newest.sequence + 1}.`,
    );
  }
  const row = {
    sequence,
    id: uuidToBytes(id),
    source: snapshot.source,
    source_kind: snapshot.sourceKind,
    started_at: snapshot.startedAt,
    finished_at: snapshot.finishedAt,
    complete: snapshot.complete ? 1 : 0,
    tags: JSON.stringify(snapshot.tags),
    objects: totals.objects,
    bytes: totals.bytes,
    new_bytes: totals.newBytes,
    stored_bytes: totals.storedBytes,
    partitions: totals.partitions,
    manifest: encodeStripe(snapshot.manifest),
  };
  await query.insertInto('snapshot').values(row).execute();
}

export async function findSnapshot(query: Query, id: SnapshotId): Promise<SnapshotRecord | null> {
  const row = await query
    .selectFrom('snapshot')
    .selectAll()
    .where('id', '=', uuidToBytes(id))
    .executeTakeFirst();
  return row ? recordOf(row) : null;
}

export async function listSnapshots(query: Query, source: string | undefined): Promise<SnapshotRecord[]> {
  let select = query.selectFrom('snapshot').selectAll().orderBy('sequence');
  if (source !== undefined) select = select.where('source', '=', source);
  return (await select.execute()).map(recordOf);
}

export async function putHead(query: Query, sequence: number, bytes: Uint8Array): Promise<void> {
  await query
    .insertInto('head')
    .values({ only: 1, sequence, bytes })
    .onConflict((c) =>
      c.column('only').doUpdateSet({ sequence, bytes }).where('head.sequence', '<=', sequence),
    )
    .execute();
}

export async function readHead(query: Query): Promise<{ sequence: number; bytes: Uint8Array } | null> {
  return (await query.selectFrom('head').select(['sequence', 'bytes']).executeTakeFirst()) ?? null;
}

function recordOf(row: Selectable<Schema['snapshot']>): SnapshotRecord {
  return {
    id: bytesToUuid(row.id) as SnapshotId,
    sequence: row.sequence,
    source: row.source,
    sourceKind: row.source_kind,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    complete: row.complete === 1,
    tags: storedTags(row.tags),
    totals: {
      objects: row.objects,
      bytes: row.bytes,
      newBytes: row.new_bytes,
      storedBytes: row.stored_bytes,
      partitions: row.partitions,
    },
    manifest: storedStripe(row.manifest),
  };
}
