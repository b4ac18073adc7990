import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import type { PostgresConnectionOptions } from './options.ts';

/** Where to connect, with every default filled in. The password is kept apart, so that this may be shown. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

const DEFAULT_PORT = 5432;
/** Where Debian's and PostgreSQL's own builds put sockets. */
const SOCKET_DIRECTORIES = ['/var/run/postgresql', '/tmp'];

export function serverAddress(options: PostgresConnectionOptions, env = process.env): ServerAddress {
  const port = options.port ?? (Number(env.PGPORT) || DEFAULT_PORT);
  const user = options.user ?? env.PGUSER ?? userInfo().username;
  return {
    host: options.host ?? env.PGHOST ?? defaultHost(port),
    port,
    user,
    database: options.database ?? env.PGDATABASE ?? user,
  };
}

function defaultHost(port: number): string {
  const directory = SOCKET_DIRECTORIES.find((each) => existsSync(join(each, `.s.PGSQL.${port}`)));
  return directory ?? 'localhost';
}

/** For messages. */
export const addressText = ({ host, port, database }: ServerAddress): string =>
  host.startsWith('/') ? `${database} at ${host}/.s.PGSQL.${port}` : `${database} at ${host}:${port}`;

/** Null when none is configured: the server may trust this user, or the socket's owner. CONFIG_INVALID, SOURCE_UNREADABLE. */
export async function passwordFor(
  options: PostgresConnectionOptions,
  address: ServerAddress,
  env = process.env,
): Promise<string | null> {
  if (options.passwordFile !== undefined) return firstLine(options.passwordFile);
  if (options.passwordEnv !== undefined) {
    const password = env[options.passwordEnv];
    if (password !== undefined) return password;
    throw new HoldfastError('CONFIG_INVALID', `The environment variable ${options.passwordEnv} is not set`, {
      hint: `Set ${options.passwordEnv} to the password of ${address.user}, or use passwordFile.`,
    });
  }
  return env.PGPASSWORD ?? (await fromPassFile(address, env));
}

async function firstLine(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).split(/\r?\n/, 1)[0]!;
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code;
    throw new HoldfastError('SOURCE_UNREADABLE', `The password file ${path} cannot be read (${why})`, {
      hint: 'Create it with the password in its first line, readable by the user who runs backups.',
      cause,
    });
  }
}

async function fromPassFile(address: ServerAddress, env: NodeJS.ProcessEnv): Promise<string | null> {
  const path = env.PGPASSFILE ?? join(homedir(), '.pgpass');
  let text: string;
  try {
    // As libpq: a file that others can read is not used.
    if (((await stat(path)).mode & 0o077) !== 0) return null;
    text = await readFile(path, 'utf8');
  } catch {
    return null;
  }
  return searchPassFile(text, address);
}

/** The password of the first line that fits: `host:port:database:user:password`, `*` for any, `\` before `:` and `\`. */
export function searchPassFile(text: string, address: ServerAddress): string | null {
  const isSocket = address.host.startsWith('/');
  const host = isSocket && SOCKET_DIRECTORIES.includes(address.host) ? 'localhost' : address.host;
  const wanted = [host, String(address.port), address.database, address.user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = Array.from(line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g), (match) =>
      match[1]!.replace(/\\(.)/g, '$1'),
    );
    if (fields.length < 5) continue;
    const fits = wanted.every((value, i) => fields[i] === '*' || fields[i] === value);
    if (fits) return fields[4]!;
  }
  return null;
}
