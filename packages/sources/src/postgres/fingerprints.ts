import { createHash } from 'node:crypto';
import { majorOf, type ServerFacts } from './server-facts.ts';
import type { Session } from './session.ts';
import { FIRST_LOCAL_OID, type Table } from './table-facts.ts';

/** To be changed whenever the bytes that are made of the same rows change. */
const FORMAT = 'pg1';

/**
 * What must be the same for row versions to be told apart by place and transaction number. Null: nothing can be promised.
 * Why equal fingerprints mean equal content: docs/decisions/0017-postgres-rows.md.
 */
export async function snapshotFingerprint(session: Session, server: ServerFacts): Promise<string | null> {
  if (server.inRecovery) return null;
  const [row] = await session.query(
    `select (select system_identifier from pg_control_system()) as system,
       substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline,
       extract(epoch from pg_postmaster_start_time()) as started,
       (select extract(epoch from stats_reset) from pg_stat_bgwriter) as recovered,
       (select extract(epoch from stats_reset) from pg_stat_archiver) as archiver,
       pg_snapshot_xmax(pg_current_snapshot())::text as next`,
    'the server’s identity',
  );
  const { system, timeline, started, recovered, archiver, next } = row!;
  if ([system, timeline, started, recovered, archiver, next].includes(null)) return null;
  // Numbers repeat after 2^32 transactions. Within one span of 2^31 none can.
  const span = BigInt(next!) >> 31n;
  const settings = server.encoding === 'SQL_ASCII' ? 'bytes' : 'utf8';
  return [
    FORMAT,
    system,
    timeline,
    started,
    recovered,
    archiver,
    span,
    server.databaseOid,
    server.versionText,
    settings,
  ].join('/');
}

/** Types whose text depends on more than the value and fixed settings: on the catalog, or on the locale. */
const CATALOG_BOUND = '^_?(reg.*|aclitem|money|refcursor|pg_node_tree|cstring|any.*|xid.*|cid|tid)$';

/** Per table: what its rows are read and written by. No row where anything about it is in doubt. */
const TABLE_STATES = `
  select c.oid::text, jsonb_build_array(c.oid::text, c.relfilenode::text, c.reltoastrelid::text,
    (select jsonb_agg(jsonb_build_array(a.attnum, a.attname, a.atttypid::text, a.atttypmod, a.attcollation::text, a.attnotnull,
        a.attisdropped, a.attgenerated, a.atthasmissing, a.attmissingval::text, a.attlen, a.attalign) order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
    (select jsonb_agg(jsonb_build_array(e.enumtypid::text, e.oid::text, e.enumlabel, e.enumsortorder) order by e.oid)
      from pg_enum e where e.enumtypid = any (used.types)),
    (select jsonb_agg(jsonb_build_array(l.oid::text, l.collprovider, l.collcollate, l.collversion,
        pg_collation_actual_version(l.oid)) order by l.oid)
      from pg_collation l where l.oid in (select a.attcollation from pg_attribute a where a.attrelid = c.oid))
  )::text as state
  from pg_class c join pg_am m on m.oid = c.relam,
  lateral (
    with recursive types(oid) as (
      select a.atttypid from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      union
      select case when t.typtype = 'd' then t.typbasetype else t.typelem end
      from pg_type t join types on t.oid = types.oid
      where t.typtype = 'd' or (t.typelem <> 0 and t.typcategory = 'A')
    )
    select array_agg(types.oid) as types,
      bool_and(t.typtype in ('d', 'e') or (t.typcategory = 'A' and t.typelem <> 0 and t.typtype = 'b')
        or (t.oid < ${FIRST_LOCAL_OID} and t.typtype in ('b', 'r', 'm'))) 
      and not bool_or(t.typname ~ '${CATALOG_BOUND}' and t.oid < ${FIRST_LOCAL_OID}) as plain
    from types join pg_type t on t.oid = types.oid
  ) used
  where c.oid = any ($1::oid[]) and m.amname = 'heap' and coalesce(used.plain, true)`;

/** The database's own collation, which most columns have. */
function defaultCollationSql(version: number): string {
  const libc = `select string_agg(distinct pg_collation_actual_version(oid), ',') from pg_collation where collprovider = 'c'`;
  return majorOf(version) >= 15
    ? `select concat_ws('/', datcollate, pg_database_collation_actual_version(oid)) from pg_database where datname = current_database()`
    : `select concat_ws('/', datcollate, (${libc})) from pg_database where datname = current_database()`;
}

/** By oid; tables of which nothing can be promised are missing. */
export async function tableFingerprints(
  session: Session,
  server: ServerFacts,
  tables: readonly Table[],
): Promise<Map<string, string>> {
  const [collation] = await session.query(
    `select (${defaultCollationSql(server.version)}) as version`,
    'the collation',
  );
  const rows = await session.query(TABLE_STATES, 'the tables’ definitions', [
    `{${tables.map((table) => table.oid).join(',')}}`,
  ]);
  return new Map(rows.map((row) => [row.oid!, digest(row.state!, collation!.version ?? '')]));
}

export const digest = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('base64url');
};

/** SQL over the rows of one window, whatever their order. Reads neither columns nor what is stored apart. */
export const rowsFingerprint = (version: number): string =>
  majorOf(version) >= 14
    ? 'sum(hashtidextended(ctid, xmin::text::bigint))'
    : `sum(hashtextextended(ctid::text || '/' || xmin::text collate "C", 0))`;
