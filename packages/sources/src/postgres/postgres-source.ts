import {
  type Source,
  type SourceOpenOptions,
  type SourceSnapshot,
  throwIfAborted,
} from '@holdfast/contracts';
import { chooseTables } from './choose-tables.ts';
import { dumpSchema } from './dump-schema.ts';
import { findPgDump } from './find-pg-dump.ts';
import { snapshotFingerprint } from './fingerprints.ts';
import { type HeldSnapshot, holdSnapshot } from './held-snapshot.ts';
import { checkOptions, type PostgresSourceOptions } from './options.ts';
import { PostgresSnapshot } from './postgres-snapshot.ts';
import {
  readExtensions,
  readLargeObjectFacts,
  readMaterializedViews,
  readPublications,
  readRoles,
  readSequenceNames,
  refuseUnreadableLargeObjects,
} from './read-facts.ts';
import { ReaderPool } from './reader-pool.ts';
import { reportDatabase } from './report.ts';
import { refuseUnreadable } from './rights.ts';
import type { SchemaFacts } from './schema-facts.ts';
import { readServerFacts, type ServerFacts } from './server-facts.ts';
import { DEFAULT_LOCK_TIMEOUT_MS } from './session.ts';
import type { Table } from './table-facts.ts';
import { layOut, type TableLayout } from './table-layout.ts';

const DEFAULT_CONNECTIONS = 2;

/** A PostgreSQL database (13 to 17), as of one moment. CONFIG_INVALID at once when the options make no sense. */
export function postgresSource(options: PostgresSourceOptions): Source {
  checkOptions(options);
  return {
    kind: 'postgres',
    test: ({ signal } = {}) => reportDatabase(options, signal),
    open: (openOptions) => openSnapshot(options, openOptions),
  };
}

async function openSnapshot(
  options: PostgresSourceOptions,
  { signal, rowKey = new Uint8Array(32) }: SourceOpenOptions = {},
): Promise<SourceSnapshot> {
  throwIfAborted(signal);
  const { connections = DEFAULT_CONNECTIONS, include, exclude } = options;
  const choose = (tables: readonly Table[]): Table[] => chooseTables(tables, include, exclude);
  const held = await holdSnapshot({ ...options, connections, choose }, signal);
  const stop = (): void => release(held);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await describeSnapshot(held, options, rowKey, signal);
  } catch (error) {
    release(held);
    throwIfAborted(signal);
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function release({ leader, readers }: HeldSnapshot): void {
  for (const session of [leader, ...readers]) session.destroy();
}

/** The schema is read before the first object is listed: a run whose pg_dump fails should not begin. */
async function describeSnapshot(
  held: HeldSnapshot,
  options: PostgresSourceOptions,
  rowKey: Uint8Array,
  signal?: AbortSignal,
): Promise<SourceSnapshot> {
  const { leader, readers, tables, chosen } = held;
  const server = await readServerFacts(leader);
  const sequences = await readSequenceNames(leader);
  refuseUnreadable(chosen, sequences, leader.address.user, server);
  await refuseUnreadableLargeObjects(leader);
  const layouts = layOut(tables, chosen, options);
  const pgDump = await findPgDump(server.version, options.pgDump);
  const lockTimeoutMs = options.lockTimeoutMs ?? DEFAULT_LOCK_TIMEOUT_MS;
  const [archive, facts] = await Promise.all([
    dumpSchema({ connection: options, pgDump, snapshotId: held.id, lockTimeoutMs }, signal),
    readFacts(held, server, layouts),
  ]);
  const fingerprint = options.skipUnchanged ? await snapshotFingerprint(leader, server) : null;
  const pool = await ReaderPool.create(leader, readers, options);
  return new PostgresSnapshot({
    held,
    pool,
    server,
    facts,
    archive,
    pgDump,
    layouts,
    sequences,
    rowKey,
    fingerprint,
  });
}

async function readFacts(
  { leader, tables }: HeldSnapshot,
  server: ServerFacts,
  layouts: readonly TableLayout[],
): Promise<SchemaFacts> {
  const byOid = new Map(layouts.map((layout) => [layout.table.oid, layout]));
  return {
    serverVersion: server.version,
    encoding: server.encoding,
    collation: server.collation,
    extensions: await readExtensions(leader),
    roles: await readRoles(leader, server),
    materializedViews: await readMaterializedViews(leader),
    publications: await readPublications(leader),
    largeObjects: await readLargeObjectFacts(leader),
    tables: tables.map((table) => tableFact(table, byOid.get(table.oid))),
  };
}

function tableFact(table: Table, layout: TableLayout | undefined): SchemaFacts['tables'][number] {
  const named = layout?.families.filter((family) => family.name !== null) ?? [];
  const own = named.map(
    ({ name, columns }) => [name!, columns.slice(layout!.key.length).map((each) => each.name)] as const,
  );
  return {
    schema: table.schema,
    name: table.name,
    kind: table.kind,
    identityAlways: table.columns.filter((column) => column.identityAlways).map((column) => column.name),
    families: Object.fromEntries(own),
    time: layout?.time ? { column: layout.time.column.name, window: layout.time.window } : null,
  };
}
