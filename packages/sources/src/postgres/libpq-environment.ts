import { existsSync } from 'node:fs';
import { passwordFor, type ServerAddress, serverAddress } from './credentials.ts';
import type { PostgresConnectionOptions } from './options.ts';

/** Where systems keep all the authorities they trust, in one file. */
const SYSTEM_AUTHORITIES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/** For PostgreSQL's own programs: the same connection as the source's, with the password where no process list shows it. */
export async function libpqEnvironment(options: PostgresConnectionOptions): Promise<NodeJS.ProcessEnv> {
  const address = serverAddress(options);
  const password = await passwordFor(options, address);
  return {
    ...withoutLibpq(process.env),
    ...addressEnvironment(address),
    ...tlsEnvironment(options, address),
    PGAPPNAME: 'holdfast',
    ...(password !== null && { PGPASSWORD: password }),
  };
}

/** What else the user has set for libpq would contradict the configuration. */
const withoutLibpq = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^PG[A-Z]+$/.test(name) || name === 'PGPASSFILE'),
  );

const addressEnvironment = ({ host, port, user, database }: ServerAddress): NodeJS.ProcessEnv => ({
  PGHOST: host,
  PGPORT: String(port),
  PGUSER: user,
  PGDATABASE: database,
});

function tlsEnvironment({ tls }: PostgresConnectionOptions, address: ServerAddress): NodeJS.ProcessEnv {
  if (address.host.startsWith('/')) return {};
  const PGSSLMODE = tls?.mode ?? 'prefer';
  const system =
    PGSSLMODE === 'verify-full' ? SYSTEM_AUTHORITIES.find((path) => existsSync(path)) : undefined;
  const PGSSLROOTCERT = tls?.ca ?? system;
  return PGSSLROOTCERT === undefined ? { PGSSLMODE } : { PGSSLMODE, PGSSLROOTCERT };
}
