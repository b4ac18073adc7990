import { availableParallelism } from 'node:os';
import { HoldfastError } from '@holdfast/contracts';
import type { PrerequisiteOptions } from './prerequisites.ts';
import { Selection, type TableChoice } from './selection.ts';
import type { PostgresServerOptions } from './server-access.ts';
import type { TargetOptions } from './target-database.ts';

export interface PostgresSinkOptions extends PostgresServerOptions {
  readonly database: string;
  /** Replaces a database that is not empty, by one renaming at the end. Default false. */
  readonly overwrite?: boolean;
  /** Makes the database if it is not there. Default true. */
  readonly create?: boolean;
  /** Ends other sessions of the database that is replaced, when the new one is whole. Default false. */
  readonly terminateSessions?: boolean;
  /** A database to be connected to meanwhile. Default `postgres`. */
  readonly maintenanceDatabase?: string;
  /** Connections that load rows, and jobs of `pg_restore`. Default: one a core, at least 2, at most 8. */
  readonly jobs?: number;
  /** `none`: everything belongs to the connecting user, and grants are left out. Default `keep`. */
  readonly owner?: 'keep' | 'none';
  /** `none`: everything goes to the default tablespace. Default `keep`. */
  readonly tablespaces?: 'keep' | 'none';
  /** Makes roles that are missing, without login. Default false. */
  readonly createRoles?: boolean;
  /** Instead of the recorded one, where the server does not have that. */
  readonly locale?: string;
  /** Memory for each index that is built. Default 256MB. */
  readonly maintenanceMemory?: string;
  /** Tables to restore, with what they need, and nothing else. Default: everything. */
  readonly only?: readonly TableChoice[];
  /** Families to leave out, as `TABLE.FAMILY`: their columns are null. */
  readonly without?: readonly string[];
  /** Directory of `pg_restore`. Default: the PATH and Debian's directories. */
  readonly programs?: string;
}

export type RestoreSettings = TargetOptions &
  PrerequisiteOptions & {
    readonly server: PostgresServerOptions;
    readonly jobs: number;
    readonly tablespaces: 'keep' | 'none';
    readonly locale: string | null;
    readonly maintenanceMemory: string;
    readonly programs: string | undefined;
    readonly selection: Selection;
  };

const MAX_DEFAULT_JOBS = 8;
const MAX_JOBS = 64;

/** USAGE. */
export function restoreSettings(options: PostgresSinkOptions): RestoreSettings {
  const { host, port, user, passwordFile, passwordEnv, tls } = options;
  const jobs = options.jobs ?? Math.min(Math.max(availableParallelism(), 2), MAX_DEFAULT_JOBS);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > MAX_JOBS)
    throw new HoldfastError('USAGE', `jobs must be a whole number from 1 to ${MAX_JOBS}`);
  return {
    server: { host, port, user, passwordFile, passwordEnv, tls },
    database: options.database,
    overwrite: options.overwrite ?? false,
    create: options.create ?? true,
    terminateSessions: options.terminateSessions ?? false,
    maintenanceDatabase: options.maintenanceDatabase ?? 'postgres',
    jobs,
    owner: options.owner ?? 'keep',
    tablespaces: options.tablespaces ?? 'keep',
    createRoles: options.createRoles ?? false,
    locale: options.locale ?? null,
    maintenanceMemory: options.maintenanceMemory ?? '256MB',
    programs: options.programs,
    selection: new Selection(options.only ?? null, options.without ?? []),
  };
}

/** Under which text means the same as where it was written, and nothing waits for the disk before the end. */
export const sessionSettings = (maintenanceMemory: string, encoding: string): Record<string, string> => ({
  search_path: '',
  datestyle: 'ISO',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  xmloption: 'content',
  row_security: 'off',
  statement_timeout: '0',
  client_encoding: encoding === 'SQL_ASCII' ? 'SQL_ASCII' : 'UTF8',
  check_function_bodies: 'off',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  default_transaction_read_only: 'off',
  synchronous_commit: 'off',
  maintenance_work_mem: maintenanceMemory,
});
