import { existsSync, readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import type { ConnectionOptions } from 'mysql2';

export const TLS_MODES = ['prefer', 'require', 'verify-full', 'disable'] as const;
export type TlsMode = (typeof TLS_MODES)[number];

/** How to reach one database of a MySQL or MariaDB server. */
export interface MysqlConnectionOptions {
  /** A name or address; or the path of a socket, or of the directory that `mysqld.sock` lies in. Default: as MySQL's own clients. */
  readonly host?: string;
  /** Default 3306. */
  readonly port?: number;
  /** Default: the account that this process runs under. */
  readonly user?: string;
  readonly database: string;
  /** A file whose first line is the password. */
  readonly passwordFile?: string;
  /** The environment variable that holds it. Default: `MYSQL_PWD`. */
  readonly passwordEnv?: string;
  /** `ca` is the path of a PEM file. Default: `prefer`, TLS where the server has it. Sockets need none. */
  readonly tls?: { readonly mode?: TlsMode; readonly ca?: string };
}

const SOCKETS = ['/run/mysqld/mysqld.sock', '/var/run/mysqld/mysqld.sock', '/tmp/mysql.sock'];
const SOCKET_NAMES = ['mysqld.sock', 'mysql.sock', 'mariadb.sock'];
const PORT = 3306;

type Address = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** MySQL's clients take `localhost` to be the socket, so nobody's grants are for 127.0.0.1 alone. */
export function addressOf({ host, port }: MysqlConnectionOptions): Address {
  if (host?.startsWith('/')) return { socketPath: socketAt(host) };
  const socket = SOCKETS.find((path) => existsSync(path));
  if ((host === undefined || host === 'localhost') && port === undefined && socket)
    return { socketPath: socket };
  return { host: host ?? '127.0.0.1', port: port ?? PORT };
}

function socketAt(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return path;
  const names = SOCKET_NAMES.map((name) => join(path, name));
  return names.find((name) => existsSync(name)) ?? names[0]!;
}

/** For messages: never holds the password. */
export function describeServer(options: MysqlConnectionOptions): string {
  const address = addressOf(options);
  return 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`;
}

export const userOf = (options: MysqlConnectionOptions): string => options.user ?? userInfo().username;

/** CONFIG_INVALID when the password or the authority's certificate cannot be had. */
export function driverOptions(options: MysqlConnectionOptions): ConnectionOptions {
  const address = addressOf(options);
  return {
    ...address,
    user: userOf(options),
    password: passwordOf(options),
    charset: 'utf8mb4',
    rowsAsArray: false,
    ...('socketPath' in address ? {} : tlsOptions(options)),
  };
}

function passwordOf({ passwordFile, passwordEnv }: MysqlConnectionOptions): string {
  if (passwordFile !== undefined) return readText(passwordFile, 'password file').split(/\r?\n/)[0]!;
  if (passwordEnv === undefined) return process.env.MYSQL_PWD ?? '';
  const password = process.env[passwordEnv];
  if (password !== undefined) return password;
  throw new HoldfastError('CONFIG_INVALID', `The environment variable ${passwordEnv} is not set`, {
    hint: 'Set it to the password of the database user, or name a passwordFile instead.',
  });
}

function tlsOptions({ tls, host }: MysqlConnectionOptions): Pick<ConnectionOptions, 'ssl'> {
  const mode = tls?.mode ?? 'prefer';
  if (mode === 'disable') return {};
  const ca = tls?.ca === undefined ? undefined : readText(tls.ca, 'certificate of the authority');
  const verify = mode === 'verify-full';
  if (verify) refuseAddress(host ?? '127.0.0.1');
  // As with PostgreSQL's clients, an authority that is named is also used.
  const ssl = { rejectUnauthorized: verify || ca !== undefined, verifyIdentity: verify };
  return { ssl: ca === undefined ? ssl : { ...ssl, ca } };
}

/** For an address the driver would compare the certificate with the name `localhost`. */
function refuseAddress(host: string): void {
  if (isIP(host) === 0) return;
  throw new HoldfastError(
    'CONFIG_INVALID',
    `tls: verify-full needs the server's name, and ${host} is an address`,
    {
      hint: 'Give as host the name that the certificate is for.',
    },
  );
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new HoldfastError('CONFIG_INVALID', `The ${what} ${path} cannot be read`, {
      hint: 'Check the path, and that this user may read it.',
      cause: error,
    });
  }
}
