import { qualified } from './quote.ts';
import type { ExtensionFact, LargeObjectFact, NamedObject, SequenceFact } from './schema-facts.ts';
import type { ServerFacts } from './server-facts.ts';
import type { Session } from './session.ts';

/** Sequences read by one statement. */
const SEQUENCES_A_QUERY = 200;

export async function readExtensions(session: Session): Promise<ExtensionFact[]> {
  return session.query<{ name: string; version: string; schema: string }>(
    `select e.extname as name, e.extversion as version, n.nspname as schema
     from pg_extension e join pg_namespace n on n.oid = e.extnamespace order by e.extname collate "C"`,
    'the list of extensions',
  );
}

/**
 * Whoever owns something in the database, may do something, or is named by a policy. The bootstrap superuser owns things
 * without being recorded as depended on.
 */
export async function readRoles(session: Session, server: ServerFacts): Promise<string[]> {
  const rows = await session.query(
    `select r.rolname as name from pg_roles r
     where r.rolname !~ '^pg_' and (r.oid = 10 or r.oid in (
       select refobjid from pg_shdepend
       where refclassid = 'pg_authid'::regclass
         and (dbid = $1::oid or (dbid = 0 and classid = 'pg_database'::regclass and objid = $1::oid))))
     order by r.rolname collate "C"`,
    'the list of roles',
    [server.databaseOid],
  );
  return rows.map((row) => row.name!);
}

export async function readPublications(session: Session): Promise<string[]> {
  const rows = await session.query(
    'select pubname as name from pg_publication order by pubname collate "C"',
    'the list of publications',
  );
  return rows.map((row) => row.name!);
}

/** `below` follows views between. */
const MATERIALISED_VIEWS = `
  with recursive edges as (
    select distinct r.ev_class as view, d.refobjid as below
    from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    where d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
  ), reach(view, below) as (
    select view, below from edges
    union
    select reach.view, edges.below from reach join edges on edges.view = reach.below
  )
  select c.oid::text, n.nspname as schema, c.relname as name,
    (select jsonb_agg(m.oid::text) from reach join pg_class m on m.oid = reach.below and m.relkind = 'm' where reach.view = c.oid) as needs
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'm' and c.relispopulated and n.nspname !~ '^pg_'
  order by n.nspname collate "C", c.relname collate "C"`;

/** The populated ones: each behind those that it is made of. */
export async function readMaterializedViews(session: Session): Promise<NamedObject[]> {
  const rows = await session.query(MATERIALISED_VIEWS, 'the list of materialised views');
  const byOid = new Map(rows.map((row) => [row.oid!, row]));
  const ordered = new Set<string>();
  const add = (oid: string): void => {
    const row = byOid.get(oid);
    if (!row || ordered.has(oid)) return;
    byOid.delete(oid);
    for (const needed of JSON.parse(row.needs ?? '[]') as string[]) add(needed);
    ordered.add(oid);
  };
  for (const row of rows) add(row.oid!);
  const all = new Map(rows.map((row) => [row.oid!, { schema: row.schema!, name: row.name! }]));
  return Array.from(ordered, (oid) => all.get(oid)!);
}

export async function readLargeObjectFacts(session: Session): Promise<LargeObjectFact[]> {
  const rows = await session.query(
    `select m.oid::text, pg_get_userbyid(m.lomowner) as owner, m.lomacl::text as acl, obj_description(m.oid, 'pg_largeobject') as comment
     from pg_largeobject_metadata m order by m.oid`,
    'the list of large objects',
  );
  return rows.map((row) => ({
    oid: Number(row.oid),
    owner: row.owner!,
    acl: row.acl!,
    comment: row.comment!,
  }));
}

/** SOURCE_UNREADABLE now rather than behind all rows. */
export async function refuseUnreadableLargeObjects(session: Session): Promise<void> {
  await session.query(
    'select count(lo_close(lo_open(oid, 262144))) from pg_largeobject_metadata',
    'the large objects',
  );
}

/** Sequences of extensions are theirs, unless declared to be configuration. */
const SEQUENCES = `
  select n.nspname as schema, c.relname as name,
    has_schema_privilege(n.oid, 'usage') and has_sequence_privilege(c.oid, 'select') as readable
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'S' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (
      select from pg_depend d join pg_extension x on x.oid = d.refobjid
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_extension'::regclass
        and d.deptype = 'e' and not coalesce(c.oid = any (x.extconfig), false))
  order by n.nspname collate "C", c.relname collate "C"`;

export interface SequenceName extends NamedObject {
  readonly mayRead: boolean;
}

export async function readSequenceNames(session: Session): Promise<SequenceName[]> {
  const rows = await session.query(SEQUENCES, 'the list of sequences');
  return rows.map((row) => ({ schema: row.schema!, name: row.name!, mayRead: row.readable === 't' }));
}

/** As they are now, which is never behind the snapshot: what was handed out stays handed out. */
export async function readSequences(
  session: Session,
  names: readonly NamedObject[],
): Promise<SequenceFact[]> {
  const found: SequenceFact[] = [];
  for (let i = 0; i < names.length; i += SEQUENCES_A_QUERY) {
    const some = names.slice(i, i + SEQUENCES_A_QUERY);
    const parts = some.map(
      ({ schema, name }, n) => `select ${n} as n, last_value, is_called from ${qualified(schema, name)}`,
    );
    const rows = await session.query(`${parts.join(' union all ')} order by n`, 'the sequences');
    for (const [n, row] of rows.entries())
      found.push({
        schema: some[n]!.schema,
        name: some[n]!.name,
        last: row.last_value!,
        called: row.is_called === 't',
      });
  }
  return found;
}
