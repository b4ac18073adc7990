import {
  comparePaths,
  type ObjectPath,
  pathFromText,
  type Source,
  type SourceOpenOptions,
  type SourceProblem,
  type SourceReport,
  type SourceSnapshot,
} from '@holdfast/contracts';
import { rowsPath } from '../../rows/object-paths.ts';
import { cutOnAbort, MysqlConnection } from '../connection.ts';
import type { MysqlConnectionOptions } from '../connection-options.ts';
import { quoteName } from '../quoting.ts';
import { type Counters, jsonBytes, type SchemaFacts } from '../schema-facts.ts';
import { type Catalog, readCatalog, WITHOUT_ROWS } from './catalog.ts';
import { readDefinitions } from './definitions.ts';
import { mysqlSnapshot, type SnapshotContent } from './mysql-snapshot.ts';
import { checkRights } from './rights.ts';
import { planTable, type RowPlan } from './row-plan.ts';
import { type Selection, type SelectionOptions, select } from './selection.ts';
import { type Pause, SnapshotConnections } from './snapshot-connections.ts';
import { lockTables, type NonTransactional, refuseNonTransactional } from './table-locks.ts';

export interface MysqlSourceOptions extends MysqlConnectionOptions, SelectionOptions {
  /** Most that are open at once, beside one for moments. Default 2. */
  readonly connections?: number;
  /** Default `refuse`. */
  readonly nonTransactional?: NonTransactional;
  /** For tests: how commits are held back for a moment. */
  readonly pause?: Pause;
}

const KIND = 'mysql';
const CONNECTIONS = 2;
const TABLE_WAIT_SECONDS = 60;
const NO_KEY = new Uint8Array(32);

/** One database of a MySQL or MariaDB server, as of one moment: docs/specs/sources.md. */
export function mysqlSource(options: MysqlSourceOptions): Source {
  return {
    kind: KIND,
    test: ({ signal } = {}) => report(options, signal),
    open: (open = {}) => openSnapshot(options, open),
  };
}

async function report(options: MysqlSourceOptions, signal?: AbortSignal): Promise<SourceReport> {
  const connection = await MysqlConnection.open(options, {
    side: 'source',
    lockWaitSeconds: TABLE_WAIT_SECONDS,
    signal,
  });
  try {
    return await cutOnAbort([connection], signal, async () => {
      const { catalog, selection } = await look(connection, options);
      const tables = selection.tables.map(({ table }) => table);
      const [size] = await connection.rows(`SELECT COUNT(*) AS routines FROM information_schema.ROUTINES
        WHERE ROUTINE_SCHEMA = DATABASE()`);
      return {
        kind: KIND,
        bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
        objects: null,
        facts: {
          server: catalog.version,
          database: options.database,
          charset: catalog.charset,
          tables: tables.length,
          tablesWithoutKey: tables.filter((table) => table.key.length === 0).length,
          systemVersioned: tables.filter((table) => table.versioned).length,
          nonTransactional: tables.filter((table) => !table.transactional).length,
          views: selection.views.length,
          routines: Number(size?.routines),
        },
      };
    });
  } finally {
    await connection.close();
  }
}

interface Look {
  readonly catalog: Catalog;
  readonly selection: Selection;
}

/** Refuses what could not be backed up. */
async function look(connection: MysqlConnection, options: MysqlSourceOptions): Promise<Look> {
  await checkRights(connection, options.database);
  const catalog = await readCatalog(connection, options.database);
  const selection = select(catalog, options.database, options);
  if ((options.nonTransactional ?? 'refuse') === 'refuse') refuseNonTransactional(selection.tables);
  return { catalog, selection };
}

async function openSnapshot(
  options: MysqlSourceOptions,
  { signal, rowKey = NO_KEY }: SourceOpenOptions,
): Promise<SourceSnapshot> {
  const locks = await lockFirst(options, signal);
  let connections: SnapshotConnections | null = null;
  const release = async (): Promise<void> => {
    await connections?.close();
    await locks?.close();
  };
  try {
    const count = Math.max(1, options.connections ?? CONNECTIONS);
    connections = await SnapshotConnections.open({ server: options, count, signal, pause: options.pause });
    const first = await connections.take();
    const content = await cutOnAbort([first], signal, () => readContent(first, options));
    await connections.giveBack(first, null);
    const { attributes, ...rest } = content;
    return mysqlSnapshot({ ...rest, rowKey }, connections, attributes, release);
  } catch (error) {
    await release();
    throw error;
  }
}

/** Before the transactions begin, as locking tables would end them. */
async function lockFirst(options: MysqlSourceOptions, signal?: AbortSignal): Promise<MysqlConnection | null> {
  if (options.nonTransactional !== 'lock') return null;
  const connection = await MysqlConnection.open(options, {
    side: 'source',
    lockWaitSeconds: TABLE_WAIT_SECONDS,
    signal,
  });
  try {
    const { selection } = await look(connection, options);
    return await lockTables(options, selection.tables, signal);
  } finally {
    await connection.close();
  }
}

type Content = Omit<SnapshotContent, 'rowKey'> & { readonly attributes: SourceSnapshot['attributes'] };

async function readContent(connection: MysqlConnection, options: MysqlSourceOptions): Promise<Content> {
  const { database } = options;
  const { catalog, selection } = await look(connection, options);
  const definitions = await readDefinitions(connection, database, selection);
  const plans: RowPlan[] = [];
  for (const each of selection.tables) plans.push(...(await planTable(each, database, connection)));
  return {
    plans: inPathOrder(plans),
    creates: new Map(definitions.tables.map(({ name, create }) => [name, create])),
    schema: [
      ['1-schema/definitions', jsonBytes(definitions)],
      ['1-schema/facts', jsonBytes(factsOf(catalog, selection, database))],
    ],
    sequences: jsonBytes(await readCounters(connection, selection)),
    problems: definitions.broken.map(brokenView),
    attributes: { server: catalog.version, database },
  };
}

function inPathOrder(plans: readonly RowPlan[]): readonly RowPlan[] {
  const pathOf = ({ description: { schema, table, family, window } }: RowPlan): ObjectPath =>
    rowsPath({ schema, table, family, windowLabel: window?.label ?? null });
  return plans
    .map((plan) => ({ plan, path: pathOf(plan) }))
    .sort((a, b) => comparePaths(a.path, b.path))
    .map(({ plan }) => plan);
}

const brokenView = ({ name }: { name: string }): SourceProblem => ({
  path: pathFromText('1-schema/definitions'),
  message: `View ${name} refers to something that is not there, or that its definer may not use: it is kept as text`,
});

const factsOf = (catalog: Catalog, { tables }: Selection, database: string): SchemaFacts => ({
  serverVersion: catalog.version,
  mariadb: catalog.mariadb,
  database,
  charset: catalog.charset,
  collation: catalog.collation,
  tables: tables.map(({ table: { name, engine, versioned }, families, time }) => ({
    name,
    engine,
    versioned,
    families: Object.fromEntries(families),
    time,
  })),
});

/** Counters are no part of a transaction, so they may be ahead of the rows, which does no harm. */
async function readCounters(
  connection: MysqlConnection,
  { tables, sequences }: Selection,
): Promise<Counters> {
  const found: Counters['sequences'][number][] = [];
  for (const name of sequences) {
    const [row] = await connection.rows(
      `SELECT next_not_cached_value AS next, cycle_count AS round FROM ${quoteName(name)}`,
      `sequence ${name}`,
    );
    found.push({ name, next: row!.next!, round: row!.round! });
  }
  return {
    autoIncrement: tables
      .filter(({ table }) => table.autoIncrement !== null && !WITHOUT_ROWS.has(table.engine))
      .map(({ table }) => ({ table: table.name, next: table.autoIncrement! })),
    sequences: found,
  };
}
