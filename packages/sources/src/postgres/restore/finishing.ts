import type pg from 'pg';
import { targetError } from './server-errors.ts';
import { qualified } from './sql-names.ts';

/** In their order, each after those it reads. */
export async function refreshMaterializedViews(
  client: pg.Client,
  views: readonly { schema: string; name: string }[],
): Promise<void> {
  await withoutEventTriggers(client);
  for (const { schema, name } of views) {
    try {
      await client.query(`REFRESH MATERIALIZED VIEW ${qualified(schema, name)}`);
    } catch (error) {
      throw targetError(error, `Cannot refresh materialized view ${schema}.${name}`);
    }
  }
}

/** Statistics, which no dump carries: without them the first queries are planned blindly. */
export async function analyze(clients: readonly pg.Client[]): Promise<void> {
  // A partitioned table's own statistics come with its partitions'.
  const { rows } = await clients[0]!.query<{ name: string }>(
    `SELECT format('%I.%I', nspname, relname) AS name
     FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
     WHERE relkind IN ('r', 'm', 'p') AND NOT relispartition AND c.oid >= 16384 AND relpersistence <> 't'
     ORDER BY relpages DESC`,
  );
  const names = rows.map(({ name }) => name).values();
  await Promise.all(
    clients.map(async (client) => {
      for (const name of names) await client.query(`ANALYZE ${name}`);
    }),
  );
}

/** The database's own event triggers would see commands that its users never gave. Only superusers have any, and may do this. */
async function withoutEventTriggers(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT EXISTS (SELECT FROM pg_event_trigger) AND rolsuper AS needed FROM pg_roles WHERE rolname = current_user`,
  );
  if ((rows as [{ needed: boolean }])[0].needed) await client.query('SET session_replication_role = replica');
}
