import type { Session } from './session.ts';

export interface Column {
  readonly name: string;
  readonly number: number;
  /** As declared. */
  readonly type: string;
  readonly typeOid: number;
  /** Of a domain its base type, through all levels. */
  readonly baseOid: number;
  readonly collationOid: number;
  readonly notNull: boolean;
  readonly identityAlways: boolean;
}

/** A table that has rows of its own, as the snapshot sees it. */
export interface Table {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  /** Relation kind: `r` here; partitions too. */
  readonly kind: string;
  readonly isUnlogged: boolean;
  /** The file that the rows were in when the snapshot was taken. */
  readonly fileNode: string;
  readonly mayRead: boolean;
  readonly schemaUsable: boolean;
  readonly rowSecurity: boolean;
  /** Partitioned tables that it is a part of. */
  readonly ancestors: readonly { readonly schema: string; readonly name: string }[];
  /** `WHERE …`, of configuration tables of extensions. */
  readonly condition: string | null;
  /** Without generated and dropped ones, in the table's order. */
  readonly columns: readonly Column[];
  /** Names, in the order of the index; empty when there is none that serves. */
  readonly key: readonly string[];
}

/** Types numbered below are the same in every database and version. */
export const FIRST_LOCAL_OID = 10_000;

/** A table of an extension is the extension's, unless it says that users configure it there. */
const TABLES = `
  select c.oid::text, n.nspname as schema, c.relname as name, c.relkind as kind, c.relpersistence = 'u' as unlogged,
    c.relfilenode::text as filenode, has_table_privilege(c.oid, 'select') as readable,
    has_schema_privilege(n.oid, 'usage') as usable,
    c.relrowsecurity and row_security_active(c.oid) as secured, e.condition,
    case when c.relispartition then (
      select jsonb_agg(jsonb_build_object('schema', pn.nspname, 'name', p.relname))
      from pg_partition_ancestors(c.oid) a join pg_class p on p.oid = a.relid join pg_namespace pn on pn.oid = p.relnamespace
      where p.oid <> c.oid) end as ancestors
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join lateral (
    select x.extcondition[array_position(x.extconfig, c.oid)] as condition, c.oid = any (x.extconfig) as configured
    from pg_depend d join pg_extension x on x.oid = d.refobjid
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = 0
      and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e' limit 1
  ) e on true
  where c.relkind in ('r', 'p', 'f') and c.relpersistence <> 't'
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and coalesce(e.configured, true)
  order by n.nspname collate "C", c.relname collate "C"`;

const COLUMNS = `
  with recursive base(oid, base) as (
    select oid, oid from pg_type where typtype <> 'd'
    union all
    select t.oid, b.base from pg_type t join base b on t.typbasetype = b.oid where t.typtype = 'd'
  )
  select a.attrelid::text as relation, a.attname as name, a.attnum as number, format_type(a.atttypid, a.atttypmod) as type,
    a.atttypid as oid, b.base, a.attcollation as collation, a.attnotnull as not_null, a.attidentity = 'a' as always
  from pg_attribute a join pg_class c on c.oid = a.attrelid join base b on b.oid = a.atttypid
  where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  order by a.attrelid, a.attnum`;

/** The primary key, else the replica identity, else the unique index of fewest columns that none of a row can be null in. */
const KEYS = `
  select distinct on (i.indrelid) i.indrelid::text as relation, k.columns
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam,
  lateral (
    select jsonb_agg(a.attname order by p.n) as columns, bool_and(a.attnotnull and a.attgenerated = '') as sound,
      count(*) as columns_found
    from unnest(i.indkey[0 : i.indnkeyatts - 1]) with ordinality p(number, n)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.number
  ) k
  where i.indrelid = any ($1::oid[]) and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null
    and m.amname = 'btree' and k.sound and k.columns_found = i.indnkeyatts
  order by i.indrelid, i.indisprimary desc, i.indisreplident desc, i.indnkeyatts, c.relname collate "C"`;

const isTrue = (value: string | null | undefined): boolean => value === 't';

/** Every table of the database that may have rows to keep, whether configured or not. */
export async function readTables(session: Session): Promise<Table[]> {
  const tables = await session.query(TABLES, 'the list of tables');
  const oids = [`{${tables.map((row) => row.oid).join(',')}}`];
  const columns = Map.groupBy(
    await session.query(COLUMNS, 'the list of columns', oids),
    (row) => row.relation!,
  );
  const keys = new Map(
    (await session.query(KEYS, 'the list of keys', oids)).map((row) => [row.relation!, row.columns!]),
  );
  return tables.map((row) => ({
    oid: row.oid!,
    schema: row.schema!,
    name: row.name!,
    kind: row.kind!,
    isUnlogged: isTrue(row.unlogged),
    fileNode: row.filenode!,
    mayRead: isTrue(row.readable),
    schemaUsable: isTrue(row.usable),
    rowSecurity: isTrue(row.secured),
    ancestors: JSON.parse(row.ancestors ?? '[]') as Table['ancestors'],
    condition: row.condition || null,
    columns: (columns.get(row.oid!) ?? []).map(columnOf),
    key: JSON.parse(keys.get(row.oid!) ?? '[]') as string[],
  }));
}

const columnOf = (row: Record<string, string | null>): Column => ({
  name: row.name!,
  number: Number(row.number),
  type: row.type!,
  typeOid: Number(row.oid),
  baseOid: Number(row.base),
  collationOid: Number(row.collation),
  notNull: isTrue(row.not_null),
  identityAlways: isTrue(row.always),
});

/** Ordinary tables and partitions; partitioned tables and foreign ones have no rows here. */
export const hasRows = (table: Table): boolean => table.kind === 'r';

export const tableName = (table: { readonly schema: string; readonly name: string }): string =>
  `${table.schema}.${table.name}`;
