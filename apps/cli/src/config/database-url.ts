import { HoldfastError } from '@holdfast/contracts';

export const DATABASE_KINDS = ['postgres', 'mysql'] as const;
export type DatabaseKind = (typeof DATABASE_KINDS)[number];

/** Where a database is, as far as it was said; the rest is found as the database's own programs find it. */
export interface DatabaseAddress {
  readonly kind: DatabaseKind;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly database: string;
}

/** The same where a database need not be named. */
export type ServerAddress = Omit<DatabaseAddress, 'database'> & { readonly database: string | null };

const SCHEMES: Readonly<Record<string, DatabaseKind>> = {
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
};

/** `postgres://backup@db.example:5432/chat`; a socket directory as `postgres:///chat?host=/run/postgresql`. */
export const isDatabaseUrl = (text: string): boolean =>
  /^(postgres|postgresql|mysql|mariadb):\/\//.test(text);

/** USAGE for what is no such address, and for one with a password in it: arguments can be seen by all users of a machine. */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  const { database, ...server } = parseAddress(text);
  if (database === null) throw notAnAddress('The address names no database.');
  return { ...server, database };
}

/** Of a server, `postgres://USER@HOST/`. For PostgreSQL it may name a database: the one to be connected to meanwhile. USAGE. */
export function parseServerUrl(text: string): ServerAddress {
  const address = parseAddress(text);
  if (address.database === null || address.kind === 'postgres') return address;
  throw notAnAddress('The address names a database; a server is wanted.');
}

function parseAddress(text: string): ServerAddress {
  const url = isDatabaseUrl(text) ? parsed(text) : null;
  const kind = url && SCHEMES[url.protocol];
  if (!url || !kind) throw notAnAddress('It is no address of a database.');
  if (url.password !== '') throw passwordInUrl();
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database.includes('/')) throw notAnAddress('The address names no database.');
  const unknown = [...url.searchParams.keys()].filter((key) => key !== 'host');
  if (unknown.length > 0)
    throw notAnAddress(`The address has a parameter "${unknown[0]}" that is not known.`);
  return {
    kind,
    ...(host === '' ? {} : { host: host.replace(/^\[(.*)\]$/, '$1') }),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
    database: database === '' ? null : database,
  };
}

/** For messages. */
export function databaseUrl({ kind, host, port, user, database }: DatabaseAddress | ServerAddress): string {
  const socket = host?.startsWith('/');
  const at = user === undefined ? '' : `${encodeURIComponent(user)}@`;
  const bracketed = host?.includes(':') && !socket ? `[${host}]` : (host ?? '');
  const place = socket ? '' : `${bracketed}${port === undefined ? '' : `:${port}`}`;
  return `${kind}://${at}${place}/${encodeURIComponent(database ?? '')}${socket ? `?host=${host}` : ''}`;
}

function parsed(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

const notAnAddress = (message: string): HoldfastError =>
  new HoldfastError('USAGE', message, {
    hint: 'Write postgres://USER@HOST:PORT/DATABASE, or mysql://… ; a socket as postgres://USER@/DATABASE?host=/run/postgresql.',
  });

/** Does not repeat the address. */
const passwordInUrl = (): HoldfastError =>
  new HoldfastError('USAGE', 'The address has a password in it, which other users of this machine can see.', {
    hint: 'Leave it out of the address and name its place: --password-file FILE or --password-env VARIABLE. Change the password: it has been on a command line.',
  });
