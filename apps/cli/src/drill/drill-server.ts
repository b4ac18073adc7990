import { resolve } from 'node:path';
import { HoldfastError, type Sink } from '@holdfast/contracts';
import { databaseUrl, parseServerUrl, type ServerAddress } from '../config/database-url.ts';
import type { SourceConfig } from '../config/schema.ts';
import { databaseOptions } from '../vault/database-options.ts';
import type { SumReader } from './compare-rows.ts';

/** Where a drill restores to, as far as it was said. */
export interface DrillPlace {
  /** Of a server, such as `postgres://USER@HOST/`. Default: the source's own. */
  readonly on?: string;
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  /** `none`: everything belongs to the connecting user. PostgreSQL only. */
  readonly owner?: 'keep' | 'none';
  /** Connections that load, and that compare. */
  readonly jobs?: number;
}

/** A database server as drills use it. */
export interface DrillServer {
  /** For people. */
  readonly place: string;
  scratch(): Promise<{ readonly name: string; drop(): Promise<void> }>;
  sink(database: string): Promise<Sink & { readonly notes: readonly string[] }>;
  /** Connections; ended by the caller. */
  readers(database: string): Promise<(SumReader & { end(): Promise<void> })[]>;
}

type DatabaseKind = 'postgres' | 'mysql';
/** Beside `database`, what both kinds' options have. */
type Access = Omit<ServerAddress, 'kind' | 'database'> & {
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
};

const COMPARING = 2;

/** The server that was named, or else the source's own. USAGE, NOT_FOUND. */
export async function drillServer(
  kind: DatabaseKind,
  name: string,
  source: SourceConfig | undefined,
  place: DrillPlace,
  vault: string,
): Promise<DrillServer> {
  const address = place.on === undefined ? null : parseServerUrl(place.on);
  if (address && address.kind !== kind) {
    throw new HoldfastError(
      'USAGE',
      `A snapshot of a ${kind} database cannot be restored on ${address.kind}.`,
      {
        hint: `Name a server of the same kind: --on ${kind}://USER@HOST/`,
      },
    );
  }
  const access = address
    ? { ...addressOptions(address), ...passwordOf(place) }
    : ownAccess(kind, name, source, place, vault);
  const shown = databaseUrl({ kind, database: null, ...pick(access) });
  return kind === 'postgres'
    ? postgresServer(access, address?.database ?? undefined, place, shown)
    : mysqlServer(access, place, shown);
}

const addressOptions = ({ kind: _, database: __, ...address }: ServerAddress) => address;

const pick = ({ host, port, user }: Access) => ({
  ...(host === undefined ? {} : { host }),
  ...(port === undefined ? {} : { port }),
  ...(user === undefined ? {} : { user }),
});

const passwordOf = ({ passwordFile, passwordEnv }: DrillPlace) => ({
  ...(passwordFile === undefined ? {} : { passwordFile: resolve(passwordFile) }),
  ...(passwordEnv === undefined ? {} : { passwordEnv }),
});

/** Of the source, unless another password was named. */
function ownAccess(
  kind: DatabaseKind,
  name: string,
  source: SourceConfig | undefined,
  place: DrillPlace,
  vault: string,
): Access {
  if (source?.kind !== kind) {
    throw new HoldfastError(
      'NOT_FOUND',
      `No source "${name}" of kind ${kind} is configured any more: its server is not known.`,
      {
        hint: `Name a server: --on ${kind}://USER@HOST/`,
        details: { source: name },
      },
    );
  }
  const { host, port, user, tls, passwordFile, passwordEnv } = databaseOptions(source, vault);
  const own = {
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(passwordEnv === undefined ? {} : { passwordEnv }),
  };
  const other = passwordOf(place);
  return {
    ...pick({ host, port, user } as Access),
    ...{ tls },
    ...(Object.keys(other).length > 0 ? other : own),
  };
}

async function postgresServer(
  access: Access,
  maintenanceDatabase: string | undefined,
  { owner = 'keep', jobs }: DrillPlace,
  place: string,
): Promise<DrillServer> {
  const { DatabaseSums, postgresSink, scratchDatabase } = await import('@holdfast/sources/postgres');
  const server = { ...access, ...(maintenanceDatabase === undefined ? {} : { maintenanceDatabase }) };
  return {
    place,
    scratch: () => scratchDatabase(server),
    sink: async (database) =>
      postgresSink({ ...server, database, owner, ...(jobs === undefined ? {} : { jobs }) }),
    readers: (database) => several(jobs, () => DatabaseSums.connect({ ...access, database })),
  };
}

async function mysqlServer(access: Access, { jobs }: DrillPlace, place: string): Promise<DrillServer> {
  const { MysqlDatabaseSums, mysqlScratchDatabase, mysqlSink } = await import('@holdfast/sources/mysql');
  return {
    place,
    scratch: () => mysqlScratchDatabase(access),
    // Events would change rows before they are compared, and whatever else they can reach.
    sink: async (database) =>
      mysqlSink({ ...access, database, events: false, ...(jobs === undefined ? {} : { connections: jobs }) }),
    readers: (database) => several(jobs, () => MysqlDatabaseSums.connect({ ...access, database })),
  };
}

async function several<T extends { end(): Promise<void> }>(
  jobs: number | undefined,
  connect: () => Promise<T>,
): Promise<T[]> {
  const readers: T[] = [];
  try {
    for (let i = 0; i < (jobs ?? COMPARING); i++) readers.push(await connect());
    return readers;
  } catch (error) {
    await Promise.all(readers.map((reader) => reader.end()));
    throw error;
  }
}
