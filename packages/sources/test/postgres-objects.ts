import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { encodeRowsDescription, encodeRowsIndex, type RowsDescription } from '@holdfast/formats/rows';
import type { MemorySourceObject } from '@holdfast/testing/memory-source';
import type { PostgresServer } from '@holdfast/testing/servers/postgres-server';
import type pg from 'pg';
import { LARGE_OBJECT_PAGE } from '../src/postgres/large-objects.ts';
import { encodeTuple } from '../src/rows/tuple-splitter.ts';

const run = promisify(execFile);
const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

export interface DeclaredTable {
  readonly families?: Readonly<Record<string, readonly string[]>>;
}

/** A database's objects as docs/specs/rows.md has them, by `pg_dump` and plain COPY: independent of the source. */
export async function objectsOf(
  server: PostgresServer,
  database: string,
  declared: Readonly<Record<string, DeclaredTable>> = {},
): Promise<MemorySourceObject[]> {
  const client = await server.connect(database);
  try {
    await client.query(
      `SET search_path = ''; SET datestyle = ISO; SET intervalstyle = postgres; SET timezone = UTC;
       SET extra_float_digits = 3; SET xmloption = content`,
    );
    const objects = await schemaObjects(server, database, client, declared);
    for (const table of await tablesOf(client)) objects.push(...(await rowsObjects(client, table, declared)));
    objects.push(...(await largeObjects(client)));
    return objects;
  } finally {
    await client.end();
  }
}

async function schemaObjects(
  server: PostgresServer,
  database: string,
  client: pg.Client,
  declared: Readonly<Record<string, DeclaredTable>>,
): Promise<MemorySourceObject[]> {
  const bin = '/usr/lib/postgresql/15/bin/pg_dump';
  const flags = ['--format=custom', '--compress=0', '--schema-only', `--dbname=dbname='${database}'`];
  const archive = await run(bin, flags, {
    env: server.environment(database),
    encoding: 'buffer',
    maxBuffer: 1 << 28,
  });
  const { stdout: version } = await run(bin, ['--version']);
  const one = async (sql: string): Promise<Record<string, never>[]> => (await client.query(sql)).rows;
  const [{ facts }] = (await one(`SELECT jsonb_build_object(
      'serverVersion', current_setting('server_version_num')::int,
      'encoding', pg_encoding_to_char(encoding), 'collation', datcollate,
      'extensions', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', extname, 'version', extversion,
        'schema', nspname)), '[]') FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace),
      'roles', (SELECT coalesce(jsonb_agg(DISTINCT rolname), '[]') FROM pg_shdepend JOIN pg_roles r ON r.oid = refobjid
        WHERE refclassid = 'pg_authid'::regclass AND dbid = d.oid),
      'materializedViews', (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', nspname, 'name', relname) ORDER BY c.oid), '[]')
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'm' AND relispopulated),
      'publications', (SELECT coalesce(jsonb_agg(pubname), '[]') FROM pg_publication),
      'largeObjects', (SELECT coalesce(jsonb_agg(jsonb_build_object('oid', oid::bigint, 'owner', pg_get_userbyid(lomowner),
        'acl', lomacl::text, 'comment', obj_description(oid, 'pg_largeobject')) ORDER BY oid), '[]') FROM pg_largeobject_metadata),
      'tables', (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', nspname, 'name', relname, 'kind', relkind,
        'identityAlways', '[]'::jsonb, 'families', '{}'::jsonb, 'time', null)), '[]')
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'f') AND c.oid >= 16384)
    ) AS facts FROM pg_database d WHERE datname = current_database()`)) as unknown as [
    { facts: { tables: { schema: string; name: string; families: unknown }[] } },
  ];
  for (const table of facts.tables)
    table.families = declared[`${table.schema}.${table.name}`]?.families ?? {};
  const sequences: unknown[] = [];
  for (const { schema, name } of await one(
    'SELECT schemaname AS schema, sequencename AS name FROM pg_sequences',
  )) {
    const of = `SELECT last_value::text AS last, is_called AS called FROM ${ident(schema!)}.${ident(name!)}`;
    sequences.push({ schema, name, ...(await one(of))[0] });
  }
  return [
    {
      path: '1-schema/archive',
      kind: 'schema',
      attributes: { pgDump: version.trim() },
      content: archive.stdout,
    },
    { path: '1-schema/facts', kind: 'schema', content: json(facts) },
    { path: '4-sequences', kind: 'sequences', content: json(sequences) },
  ];
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly oid: number;
  readonly notNull: boolean;
  readonly key: number | null;
}

interface Table {
  readonly schema: string;
  readonly name: string;
  readonly columns: Column[];
}

async function tablesOf(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query(
    `SELECT nspname AS schema, relname AS name, coalesce((SELECT jsonb_agg(jsonb_build_object('name', attname,
        'type', format_type(atttypid, atttypmod), 'oid', CASE WHEN typbasetype <> 0 THEN typbasetype ELSE t.oid END::bigint,
        'notNull', attnotnull, 'key', (SELECT nullif(array_position(indkey::int2[], attnum), null)
          FROM pg_index i WHERE i.indrelid = c.oid AND indisprimary)) ORDER BY attnum)
        FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''), '[]') AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE relkind = 'r' AND c.oid >= 16384 AND relpersistence <> 't'
       AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND classid = 'pg_class'::regclass AND deptype = 'e')
     ORDER BY 1, 2`,
  );
  return rows as Table[];
}

/** Of which the binary form is the same everywhere. */
const BINARY = new Set([16, 17, 20, 21, 23, 25, 700, 701, 1042, 1043, 1082, 1114, 1184, 2950, 1700, 114]);

async function rowsObjects(
  client: pg.Client,
  table: Table,
  declared: Readonly<Record<string, DeclaredTable>>,
): Promise<MemorySourceObject[]> {
  const families = declared[`${table.schema}.${table.name}`]?.families ?? {};
  const key = table.columns.filter((column) => column.key !== null).sort((a, b) => a.key! - b.key!);
  const inFamily = new Set(Object.values(families).flat());
  const rest = table.columns.filter((column) => column.key === null);
  const main = rest.filter((column) => !inFamily.has(column.name));
  const objects = await rowsObject(client, table, null, [...key, ...main], key.length);
  for (const [family, names] of Object.entries(families)) {
    const columns = rest.filter((column) => names.includes(column.name));
    objects.push(...(await rowsObject(client, table, family, [...key, ...columns], key.length)));
  }
  return objects;
}

async function rowsObject(
  client: pg.Client,
  { schema, name }: Table,
  family: string | null,
  columns: readonly Column[],
  keyColumns: number,
): Promise<MemorySourceObject[]> {
  const binary = columns.every(({ oid }) => BINARY.has(oid));
  const list = columns.map((column) => ident(column.name)).join(', ');
  const order =
    keyColumns === 0
      ? ''
      : ` ORDER BY ${columns
          .slice(0, keyColumns)
          .map((column) => ident(column.name))
          .join(', ')}`;
  const select = `SELECT ${list} FROM ONLY ${ident(schema)}.${ident(name)}${order}`;
  const { tuples, rows } = await copyOut(client, select, binary, columns.length);
  const description: RowsDescription = {
    dialect: 'postgres',
    schema,
    table: name,
    family,
    window: null,
    columns: columns.map((column) => ({
      name: column.name,
      type: column.type,
      typeId: column.oid < 16384 ? column.oid : 0,
      encoding: binary ? 'binary' : 'text',
      notNull: column.notNull,
    })),
    keyColumns,
  };
  const path = `2-rows/${escaped(schema)}/${escaped(name)}/${family === null ? 'main' : `family-${escaped(family)}`}/all`;
  return withIndex(path, description, tuples, rows);
}

const withIndex = (
  path: string,
  description: RowsDescription,
  tuples: Buffer,
  rows: number,
): MemorySourceObject[] => [
  {
    path: `${path}/rows`,
    kind: 'rows',
    attributes: { rows: encodeRowsDescription(description) },
    content: tuples,
  },
  {
    path: `${path}/rows-index`,
    kind: 'rows-index',
    content: Buffer.from(encodeRowsIndex({ rows, checksum: new Uint8Array(16), samples: [] })),
  },
];

async function largeObjects(client: pg.Client): Promise<MemorySourceObject[]> {
  const { rows } = await client.query('SELECT FROM pg_largeobject_metadata');
  if (rows.length === 0) return [];
  const select = `SELECT loid, p, lo_get(loid, p * ${LARGE_OBJECT_PAGE}, ${LARGE_OBJECT_PAGE})
    FROM (SELECT loid, max(pageno * 2048::int8 + length(data)) AS size FROM pg_largeobject GROUP BY 1) AS o,
      generate_series(0::int8, (size - 1) / ${LARGE_OBJECT_PAGE}) AS p WHERE size > 0 ORDER BY 1, 2`;
  const pages = await copyOut(client, select, true, 3);
  const column = (name: string, type: string, typeId: number) =>
    ({ name, type, typeId, encoding: 'binary', notNull: true }) as const;
  const description: RowsDescription = {
    dialect: 'postgres',
    schema: 'pg_catalog',
    table: 'pg_largeobject',
    family: null,
    window: null,
    columns: [column('loid', 'oid', 26), column('pageno', 'int8', 20), column('data', 'bytea', 17)],
    keyColumns: 2,
  };
  return withIndex('3-large-objects', description, pages.tuples, pages.rows);
}

const escaped = (name: string): string =>
  Array.from(name, (char, i) =>
    char === '%' || char === '/' || char < ' ' || char === '\x7f' || (i === 0 && char === '.')
      ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
      : char,
  ).join('');

const HEADER_BYTES = 19;

async function copyOut(
  client: pg.Client,
  select: string,
  binary: boolean,
  fields: number,
): Promise<{ tuples: Buffer; rows: number }> {
  const ended = Promise.withResolvers<void>();
  const chunks: Buffer[] = [];
  let rows = 0;
  client.query({
    submit: (connection: unknown) =>
      (connection as { query(sql: string): void }).query(
        `COPY (${select}) TO STDOUT (FORMAT ${binary ? 'binary' : 'text'})`,
      ),
    // The driver uses its buffer again.
    handleCopyData: ({ chunk }: { chunk: Buffer }) => chunks.push(Buffer.from(chunk)),
    handleCommandComplete: ({ text }: { text: string }) => {
      rows = Number(text.split(' ')[1]);
    },
    handleReadyForQuery: () => ended.resolve(),
    handleError: (error: Error) => ended.reject(error),
  } as pg.Submittable);
  await ended.promise;
  const all = Buffer.concat(chunks);
  if (binary) return { tuples: all.subarray(HEADER_BYTES, -2), rows };
  return { tuples: Buffer.concat(chunks.map((line) => tupleOf(line, fields))), rows };
}

const UNESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' };

function tupleOf(line: Buffer, fields: number): Buffer {
  if (fields === 0) return encodeTuple([]);
  const texts = line.toString('utf8').replace(/\n$/, '').split('\t');
  return encodeTuple(
    texts.map((text) =>
      text === '\\N'
        ? null
        : Buffer.from(text.replace(/\\(.)/g, (_, char: string) => UNESCAPED[char] ?? char)),
    ),
  );
}
