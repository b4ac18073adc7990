import type pg from 'pg';
import { tableKey } from './archive-choice.ts';
import { qualified } from './sql-names.ts';

/**
 * Partitions whose rows may belong elsewhere now: an enum's hash is that of its labels' oids, which are new. Their rows
 * go through the partitioned table, which finds their place. Gives its quoted name by the partition's.
 */
export async function rowsThatMove(client: pg.Client): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ schema: string; name: string; root: string; rootName: string }>(
    `SELECT ln.nspname AS schema, l.relname AS name, rn.nspname AS root, r.relname AS "rootName"
     FROM pg_partitioned_table AS p
       JOIN pg_class AS r ON r.oid = p.partrelid JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
       CROSS JOIN LATERAL pg_partition_tree(p.partrelid) AS t
       JOIN pg_class AS l ON l.oid = t.relid JOIN pg_namespace AS ln ON ln.oid = l.relnamespace
     WHERE p.partstrat = 'h' AND t.isleaf AND EXISTS (
       SELECT FROM pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid LEFT JOIN pg_type AS e ON e.oid = y.typelem
       WHERE a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs::int2[]) AND 'e' IN (y.typtype, e.typtype))
     ORDER BY t.level`,
  );
  // The outermost comes last.
  return new Map(rows.map((row) => [tableKey(row.schema, row.name), qualified(row.root, row.rootName)]));
}
