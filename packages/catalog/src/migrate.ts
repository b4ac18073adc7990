import { HoldfastError } from '@holdfast/contracts';
import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import * as initial from './migrations/1-initial.ts';
import * as placements from './migrations/2-placements.ts';
import { type Database, SCHEMA_VERSION } from './schema.ts';

const MIGRATIONS: Record<string, Migration> = { '0001-initial': initial, '0002-placements': placements };

/** Brings the schema up to this program's version in one transaction, the version number included. */
export async function migrate(db: Database): Promise<void> {
  const numbered = Object.entries(MIGRATIONS).map(([name, migration], index) => [
    name,
    {
      up: async (transaction: Kysely<unknown>): Promise<void> => {
        await migration.up(transaction);
        await sql`pragma user_version = ${sql.lit(index + 1)}`.execute(transaction);
      },
    },
  ]);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => Object.fromEntries(numbered) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  if (Object.keys(MIGRATIONS).length !== SCHEMA_VERSION) {
    throw new HoldfastError('INTERNAL', 'The number of catalog migrations differs from the schema version.');
  }
}
