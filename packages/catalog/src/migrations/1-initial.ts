import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';

/** Those of this version: what a migration did once must not change with the schema. */
const COUNTERS = ['next_partition', 'partitions', 'chunks', 'shards', 'stored_bytes', 'raw_bytes'] as const;

export async function up(db: Kysely<Schema>): Promise<void> {
  const { schema } = db;
  await schema
    .createTable('peer')
    .addColumn('ref', 'integer', (c) => c.primaryKey())
    .addColumn('key', 'blob', (c) => c.notNull().unique())
    .execute();
  await schema
    .createTable('peer_record')
    .addColumn('peer', 'integer', (c) => c.primaryKey().references('peer.ref'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('operator', 'text', (c) => c.notNull())
    .addColumn('region', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('port', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createTable('peer_event')
    .addColumn('peer', 'integer', (c) => c.notNull().references('peer.ref'))
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('count', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('peer_event_key', ['peer', 'event'])
    .execute();
  await schema
    .createTable('peer_load')
    .addColumn('peer', 'integer', (c) => c.primaryKey().references('peer.ref'))
    .addColumn('shards', 'integer', (c) => c.notNull())
    .execute();
  await createPartitionTables(db);
  await createSnapshotTables(db);
  await schema
    .createTable('counter')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'integer', (c) => c.notNull())
    .execute();
  const start = COUNTERS.map((name) => ({ name, value: name === 'next_partition' ? 1 : 0 }));
  await db.insertInto('counter').values(start).execute();
}

async function createPartitionTables({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('partition')
    .addColumn('number', 'integer', (c) => c.primaryKey())
    .addColumn('id', 'blob', (c) => c.notNull().unique())
    .addColumn('state', 'integer', (c) => c.notNull())
    .addColumn('stripe', 'blob', (c) => c.notNull())
    .execute();
  await schema
    .createTable('journal')
    .addColumn('partition', 'integer', (c) => c.primaryKey().references('partition.number'))
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('package_key', 'blob', (c) => c.notNull())
    .addColumn('acknowledged', 'blob', (c) => c.notNull())
    .execute();
  await schema
    .createTable('frames')
    .addColumn('partition', 'integer', (c) => c.primaryKey().references('partition.number'))
    .addColumn('frames', 'blob', (c) => c.notNull())
    .addColumn('completed', 'integer')
    .execute();
  await schema
    .createTable('holding')
    .addColumn('partition', 'integer', (c) => c.notNull().references('partition.number'))
    .addColumn('peer', 'integer', (c) => c.notNull().references('peer.ref'))
    .addColumn('shard', 'integer', (c) => c.notNull())
    .addColumn('since', 'integer', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('current', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('holding_key', ['partition', 'peer'])
    // The key is most of the row: keeping rows in key order halves the table.
    .modifyEnd(sql`without rowid`)
    .execute();
  await schema.createIndex('holding_by_peer').on('holding').columns(['peer', 'partition']).execute();
  await schema
    .createTable('chunk')
    .addColumn('id', 'blob', (c) => c.primaryKey())
    .addColumn('partition', 'integer', (c) => c.notNull().references('partition.number'))
    .addColumn('frame', 'integer', (c) => c.notNull())
    .addColumn('offset', 'integer', (c) => c.notNull())
    .addColumn('length', 'integer', (c) => c.notNull())
    .modifyEnd(sql`without rowid`)
    .execute();
}

async function createSnapshotTables({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('snapshot')
    .addColumn('sequence', 'integer', (c) => c.primaryKey())
    .addColumn('id', 'blob', (c) => c.notNull().unique())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('source_kind', 'text', (c) => c.notNull())
    .addColumn('started_at', 'integer', (c) => c.notNull())
    .addColumn('finished_at', 'integer', (c) => c.notNull())
    .addColumn('complete', 'integer', (c) => c.notNull())
    .addColumn('tags', 'text', (c) => c.notNull())
    .addColumn('objects', 'integer', (c) => c.notNull())
    .addColumn('bytes', 'integer', (c) => c.notNull())
    .addColumn('new_bytes', 'integer', (c) => c.notNull())
    .addColumn('stored_bytes', 'integer', (c) => c.notNull())
    .addColumn('partitions', 'integer', (c) => c.notNull())
    .addColumn('manifest', 'blob', (c) => c.notNull())
    .execute();
  await schema.createIndex('snapshot_by_source').on('snapshot').columns(['source', 'sequence']).execute();
  await schema
    .createTable('head')
    .addColumn('only', 'integer', (c) => c.primaryKey().check(sql`only = 1`))
    .addColumn('sequence', 'integer', (c) => c.notNull())
    .addColumn('bytes', 'blob', (c) => c.notNull())
    .execute();
}
