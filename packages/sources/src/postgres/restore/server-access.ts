import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { HoldfastError } from '@holdfast/contracts';
import pg from 'pg';
import { targetError } from './server-errors.ts';

export interface PostgresServerOptions {
  /** Default: libpq's own (`PGHOST`, else localhost). A path beginning with `/` is a socket's directory. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  /** A file whose first line is the password. */
  readonly passwordFile?: string;
  /** Name of an environment variable. Without it and `passwordFile`: `PGPASSWORD`, else `~/.pgpass`. */
  readonly passwordEnv?: string;
  readonly tls?: { readonly mode?: TlsMode; readonly ca?: string };
}

export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-full';

const CONNECT_MS = 15_000;

/** How to reach a server: for connections of our own, and for PostgreSQL's programs. */
export class ServerAccess {
  /** For messages: `user@host:port` without secrets. */
  readonly display: string;
  readonly #options: PostgresServerOptions;
  readonly #password: string | undefined;

  private constructor(options: PostgresServerOptions, password: string | undefined) {
    this.#options = options;
    this.#password = password;
    const host = options.host ?? process.env.PGHOST ?? 'localhost';
    this.display = `${host}${options.port ? `:${options.port}` : ''}`;
  }

  /** TARGET_UNWRITABLE when the password cannot be read. */
  static async of(options: PostgresServerOptions): Promise<ServerAccess> {
    return new ServerAccess(options, await passwordOf(options));
  }

  /** TARGET_UNWRITABLE. The caller ends it. */
  async connect(database: string, settings: Readonly<Record<string, string>> = {}): Promise<pg.Client> {
    try {
      return await this.#connect(database, settings, this.#tlsOptions());
    } catch (error) {
      if (!this.#mayGoWithoutTls(error)) throw targetError(error, `Cannot connect to ${this.#at(database)}`);
    }
    try {
      return await this.#connect(database, settings, false);
    } catch (error) {
      throw targetError(error, `Cannot connect to ${this.#at(database)}`);
    }
  }

  /** For libpq's programs. The password is in it: never print it. */
  environment(database: string, settings: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    const { host, port, user, tls } = this.#options;
    return {
      ...process.env,
      PGDATABASE: database,
      PGAPPNAME: 'holdfast',
      PGCONNECT_TIMEOUT: String(CONNECT_MS / 1000),
      PGOPTIONS: optionsOf(settings),
      ...(host !== undefined && { PGHOST: host }),
      ...(port !== undefined && { PGPORT: String(port) }),
      ...(user !== undefined && { PGUSER: user }),
      ...(this.#password !== undefined && { PGPASSWORD: this.#password }),
      ...(tls?.mode !== undefined && { PGSSLMODE: tls.mode }),
      ...(tls?.ca !== undefined && { PGSSLROOTCERT: tls.ca }),
    };
  }

  async #connect(
    database: string,
    settings: Readonly<Record<string, string>>,
    tls: ConnectionOptions | false | Promise<ConnectionOptions | false>,
  ): Promise<pg.Client> {
    const { host, port, user } = this.#options;
    const client = new pg.Client({
      host,
      port,
      user,
      password: this.#password,
      database,
      ssl: await tls,
      options: optionsOf(settings),
      application_name: 'holdfast',
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
    });
    // Whoever runs a query hears of a lost connection there; without a listener it would end the process.
    client.on('error', () => {});
    await client.connect();
    // The driver asks for UTF-8 by itself, after all other settings.
    const encoding = settings.client_encoding;
    if (encoding !== undefined && encoding !== 'UTF8')
      await client.query(`SET client_encoding = '${encoding}'`);
    return client;
  }

  async #tlsOptions(): Promise<ConnectionOptions | false> {
    const { host, tls } = this.#options;
    const mode = tls?.mode ?? 'prefer';
    if (mode === 'disable' || host?.startsWith('/')) return false;
    const ca = tls?.ca === undefined ? undefined : await readFile(tls.ca, 'utf8');
    if (mode === 'verify-full') return { ca, rejectUnauthorized: true };
    // As libpq: an authority that is given is checked even where the name is not.
    return { ca, rejectUnauthorized: ca !== undefined, checkServerIdentity: () => undefined };
  }

  #mayGoWithoutTls(error: unknown): boolean {
    const mode = this.#options.tls?.mode ?? 'prefer';
    return mode === 'prefer' && error instanceof Error && error.message.includes('does not support SSL');
  }

  #at(database: string): string {
    return `database ${database} at ${this.display}`;
  }
}

/** Without goodbye: for a connection in the midst of something. */
export const destroy = (client: pg.Client): void =>
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();

const optionsOf = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
    .join(' ');

async function passwordOf({ passwordFile, passwordEnv }: PostgresServerOptions): Promise<string | undefined> {
  if (passwordFile !== undefined) {
    try {
      return (await readFile(passwordFile, 'utf8')).split(/\r?\n/, 1)[0]!;
    } catch (cause) {
      throw new HoldfastError('TARGET_UNWRITABLE', `Cannot read the password file ${passwordFile}`, {
        hint: 'Check its path and permissions.',
        cause,
      });
    }
  }
  if (passwordEnv === undefined) return undefined;
  const password = process.env[passwordEnv];
  if (password !== undefined) return password;
  throw new HoldfastError(
    'TARGET_UNWRITABLE',
    `The environment has no ${passwordEnv}, which should hold the password`,
    {
      hint: 'Set it, or use passwordFile.',
    },
  );
}
