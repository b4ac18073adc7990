import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';

/** What placements were made under, and how peers answered. Placements from before have no record. */
export async function up(db: Kysely<Schema>): Promise<void> {
  await createPlacementTables(db);
  await db.schema
    .createTable('peer_probe')
    .addColumn('since', 'integer', (c) => c.notNull())
    .addColumn('peer', 'integer', (c) => c.notNull().references('peer.ref'))
    .addColumn('asked', 'integer', (c) => c.notNull())
    .addColumn('answered', 'integer', (c) => c.notNull())
    .addColumn('trip_sum_us', 'integer', (c) => c.notNull())
    .addColumn('trip_min_us', 'integer', (c) => c.notNull())
    // By time first: what is asked for, and what is merged, is a span of time.
    .addPrimaryKeyConstraint('peer_probe_key', ['since', 'peer'])
    .modifyEnd(sql`without rowid`)
    .execute();
  const names = ['placements_recorded', 'placements_relaxed'] as const;
  await db
    .insertInto('counter')
    .values(names.map((name) => ({ name, value: 0 })))
    .execute();
}

async function createPlacementTables({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('swarm_view')
    .addColumn('ref', 'integer', (c) => c.primaryKey())
    .addColumn('digest', 'blob', (c) => c.notNull().unique())
    .addColumn('facts', 'blob', (c) => c.notNull())
    .execute();
  for (const table of ['placement_policy', 'relaxation_list'] as const) {
    await schema
      .createTable(table)
      .addColumn('ref', 'integer', (c) => c.primaryKey())
      .addColumn('text', 'text', (c) => c.notNull().unique())
      .execute();
  }
  await schema
    .createTable('placement')
    .addColumn('partition', 'integer', (c) => c.primaryKey().references('partition.number'))
    .addColumn('policy', 'integer', (c) => c.notNull().references('placement_policy.ref'))
    .addColumn('placed_at', 'integer', (c) => c.notNull())
    .addColumn('view', 'integer', (c) => c.notNull().references('swarm_view.ref'))
    .addColumn('relaxations', 'integer', (c) => c.references('relaxation_list.ref'))
    .execute();
  await schema
    .createTable('placement_move')
    .addColumn('partition', 'integer', (c) => c.notNull().references('placement.partition'))
    .addColumn('shard', 'integer', (c) => c.notNull())
    .addColumn('view', 'integer', (c) => c.notNull().references('swarm_view.ref'))
    .addPrimaryKeyConstraint('placement_move_key', ['partition', 'shard'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await schema
    .createTable('relaxed_rule')
    .addColumn('rule', 'text', (c) => c.primaryKey())
    .addColumn('placements', 'integer', (c) => c.notNull())
    .addColumn('at', 'integer', (c) => c.notNull())
    .addColumn('partition', 'integer', (c) => c.notNull().references('partition.number'))
    .addColumn('reason', 'text', (c) => c.notNull())
    .execute();
}
