import { resolve } from 'node:path';
import { HoldfastError, type Sink } from '@holdfast/contracts';
import type { TableChoice } from '@holdfast/sources/postgres';
import { type DatabaseAddress, parseDatabaseUrl } from '../config/database-url.ts';
import { parseJobs, type RestoreOptions } from './restore-options.ts';

/** A sink into a database, and what it has to say when all went well. */
export interface DatabaseTarget {
  readonly sink: Sink;
  readonly notes: () => readonly string[];
}

/** USAGE when the snapshot is of another kind of database than the address. */
export async function databaseTarget(
  kind: 'postgres' | 'mysql',
  options: RestoreOptions,
): Promise<DatabaseTarget> {
  const address = parseDatabaseUrl(options.to);
  if (address.kind !== kind) {
    throw new HoldfastError(
      'USAGE',
      `A snapshot of a ${kind} database cannot be restored into ${address.kind}.`,
      {
        hint: 'Restore it to a file with --format sql, and adapt that.',
      },
    );
  }
  return kind === 'postgres' ? postgresTarget(address, options) : mysqlTarget(address, options);
}

async function postgresTarget(address: DatabaseAddress, options: RestoreOptions): Promise<DatabaseTarget> {
  const { postgresSink, putBackFamily } = await import('@holdfast/sources/postgres');
  const server = serverOf(address, options);
  if (options.putBack) {
    const { table, family } = namedFamily(options.family![0]!);
    const sink = putBackFamily({ ...server, table, family, replace: options.overwrite === true });
    return { sink, notes: () => putBackNotes(sink.report, options.family![0]!) };
  }
  const jobs = parseJobs(options.jobs);
  const sink = postgresSink({
    ...server,
    ...(jobs === undefined ? {} : { jobs }),
    overwrite: options.overwrite === true,
    owner: options.owner === false ? 'none' : 'keep',
    createRoles: options.createRoles === true,
    terminateSessions: options.terminateSessions === true,
    ...(options.table ? { only: choices(options) } : {}),
    without: options.without ?? [],
  });
  return { sink, notes: () => sink.notes };
}

const choices = ({ table, window, family }: RestoreOptions): TableChoice[] =>
  (table ?? []).map((name) => ({
    table: name,
    ...(window ? { windows: window } : {}),
    ...(family ? { families: family.map((full) => namedFamily(full).family) } : {}),
  }));

function putBackNotes(
  report: { rows: number; matched: number; filled: number; notNull: readonly string[] } | null,
  family: string,
) {
  if (!report) return [];
  const { rows, matched, filled, notNull } = report;
  return [
    `${family}: ${rows} rows in the snapshot, ${matched} of them in the table, ${filled} filled.`,
    ...(notNull.length > 0 ? [`Not null again: ${notNull.join(', ')}.`] : []),
  ];
}

/** `users.pii`, `public.users.pii`. */
function namedFamily(name: string): { table: string; family: string } {
  const dot = name.lastIndexOf('.');
  if (dot > 0) return { table: name.slice(0, dot), family: name.slice(dot + 1) };
  throw new HoldfastError('USAGE', `"${name}" is not a column family.`, {
    hint: 'Write TABLE.FAMILY: users.pii',
  });
}

const serverOf = (
  { kind: _, ...address }: DatabaseAddress,
  { passwordFile, passwordEnv }: RestoreOptions,
) => ({
  ...address,
  ...(passwordFile === undefined ? {} : { passwordFile: resolve(passwordFile) }),
  ...(passwordEnv === undefined ? {} : { passwordEnv }),
});

async function mysqlTarget(address: DatabaseAddress, options: RestoreOptions): Promise<DatabaseTarget> {
  const { mysqlSink } = await import('@holdfast/sources/mysql');
  const [unknown] = (['createRoles', 'terminateSessions'] as const).filter((name) => options[name]);
  if (unknown !== undefined || options.owner === false) {
    throw new HoldfastError(
      'USAGE',
      'Owners, roles and sessions are PostgreSQL’s: leave these options out for MySQL.',
    );
  }
  const jobs = parseJobs(options.jobs);
  const sink = mysqlSink({
    ...serverOf(address, options),
    ...(jobs === undefined ? {} : { connections: jobs }),
    overwrite: options.overwrite === true,
    without: options.without ?? [],
    ...(options.putBack ? { putBack: options.family ?? [] } : {}),
  });
  return { sink, notes: () => sink.notes };
}
