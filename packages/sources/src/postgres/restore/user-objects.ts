import type pg from 'pg';

/** Objects below were made by initdb. */
const FIRST_USER_OID = 16384;

/** Some things in a database that its users made, up to `limit`, in words. Empty: the database is as new. */
export async function userObjects(client: pg.Client, limit: number): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT name FROM (
       SELECT 1 AS rank, CASE relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence '
           ELSE 'table ' END || c.oid::regclass AS name
         FROM pg_class c WHERE relkind IN ('r','p','f','v','m','S') AND oid >= $1 AND relpersistence <> 't'
       UNION ALL SELECT 2, 'function ' || oid::regprocedure FROM pg_proc WHERE oid >= $1
       UNION ALL SELECT 3, 'type ' || oid::regtype FROM pg_type WHERE oid >= $1 AND typtype IN ('e','d','r') AND typelem = 0
       UNION ALL SELECT 4, 'schema ' || nspname FROM pg_namespace WHERE oid >= $1 AND nspname !~ '^pg_(temp|toast)'
       UNION ALL SELECT 5, 'extension ' || extname FROM pg_extension WHERE oid >= $1
       UNION ALL SELECT 6, 'large object ' || oid FROM pg_largeobject_metadata
       UNION ALL SELECT 7, 'publication ' || pubname FROM pg_publication
       UNION ALL SELECT 8, 'event trigger ' || evtname FROM pg_event_trigger
       UNION ALL SELECT 9, 'foreign-data wrapper ' || fdwname FROM pg_foreign_data_wrapper WHERE oid >= $1
     ) AS objects ORDER BY rank, name LIMIT $2`,
    [FIRST_USER_OID, limit],
  );
  return rows.map(({ name }) => name);
}
