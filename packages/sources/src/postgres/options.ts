import { HoldfastError } from '@holdfast/contracts';

export const TLS_MODES = ['disable', 'prefer', 'require', 'verify-full'] as const;
export type TlsMode = (typeof TLS_MODES)[number];

export const WINDOWS = ['month', 'week', 'day'] as const;
export type Window = (typeof WINDOWS)[number];

/** Whatever is left out is as libpq has it: PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, ~/.pgpass. */
export interface PostgresConnectionOptions {
  /** A name or address; a path beginning with `/` is the directory of a Unix socket. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly database?: string;
  /** A file with the password in its first line. */
  readonly passwordFile?: string;
  /** The name of an environment variable with the password. */
  readonly passwordEnv?: string;
  /** Default: `prefer`. `ca`: path of a PEM file; default the system's. */
  readonly tls?: { readonly mode?: TlsMode; readonly ca?: string };
}

export interface PostgresSourceOptions extends PostgresConnectionOptions {
  /** That read rows at the same time; one more holds the snapshot. Default 2. */
  readonly connections?: number;
  /** `SCHEMA.TABLE` or `TABLE`, with `*` and `?`. Default: all. Restricts rows, not the schema. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Table → family → columns. */
  readonly families?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Table → the column that tells a row's time. */
  readonly time?: Readonly<Record<string, string | { readonly column: string; readonly window?: Window }>>;
  /** Whether objects get fingerprints; see docs/decisions/0017-postgres-rows.md before turning it on. Default false. */
  readonly skipUnchanged?: boolean;
  /** How long to wait for a table that is locked. Default 60 s. */
  readonly lockTimeoutMs?: number;
  /** The pg_dump to use. Default: found in PATH and in /usr/lib/postgresql. */
  readonly pgDump?: string;
}

const MAX_CONNECTIONS = 64;

/** CONFIG_INVALID. */
export function checkOptions(options: PostgresSourceOptions): void {
  const { connections, port, tls, lockTimeoutMs, passwordFile, passwordEnv } = options;
  whole('connections', connections, 1, MAX_CONNECTIONS);
  whole('port', port, 1, 65_535);
  whole('lockTimeoutMs', lockTimeoutMs, 1, 2 ** 31 - 1);
  if (tls?.mode !== undefined && !TLS_MODES.includes(tls.mode))
    throw invalid(`tls.mode is one of ${TLS_MODES.join(', ')}, not ${tls.mode}`);
  if (passwordFile !== undefined && passwordEnv !== undefined)
    throw invalid('passwordFile and passwordEnv are both given', 'Keep one of them.');
}

function whole(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || value < least || value > most)
    throw invalid(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

export const invalid = (message: string, hint?: string): HoldfastError =>
  new HoldfastError('CONFIG_INVALID', message, hint === undefined ? {} : { hint });
