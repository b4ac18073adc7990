import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { HoldfastError } from '@holdfast/contracts';
import pg from 'pg';
import { passwordFor, type ServerAddress, serverAddress } from '../credentials.ts';
import { libpqEnvironment } from '../libpq-environment.ts';
import type { PostgresConnectionOptions } from '../options.ts';
import { targetError } from './server-errors.ts';

/** The database is the target's to name. */
export type PostgresServerOptions = Omit<PostgresConnectionOptions, 'database'>;

const CONNECT_MS = 15_000;

/** How to reach a server: for connections of our own, and for PostgreSQL's programs. */
export class ServerAccess {
  readonly #options: PostgresServerOptions;
  readonly #address: ServerAddress;
  readonly #password: string | null;

  private constructor(options: PostgresServerOptions, address: ServerAddress, password: string | null) {
    this.#options = options;
    this.#address = address;
    this.#password = password;
  }

  /** TARGET_UNWRITABLE when the password cannot be read; CONFIG_INVALID. */
  static async of(options: PostgresServerOptions): Promise<ServerAccess> {
    const address = serverAddress(options);
    try {
      return new ServerAccess(options, address, await passwordFor(options, address));
    } catch (error) {
      if (!HoldfastError.is(error, 'SOURCE_UNREADABLE')) throw error;
      throw new HoldfastError('TARGET_UNWRITABLE', error.message, { hint: error.hint });
    }
  }

  /** For messages; without secrets. */
  get display(): string {
    const { host, port } = this.#address;
    return `${host}:${port}`;
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
  async environment(
    database: string,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<NodeJS.ProcessEnv> {
    return { ...(await libpqEnvironment({ ...this.#options, database })), PGOPTIONS: optionsOf(settings) };
  }

  async #connect(
    database: string,
    settings: Readonly<Record<string, string>>,
    tls: ConnectionOptions | false | Promise<ConnectionOptions | false>,
  ): Promise<pg.Client> {
    const client = new pg.Client({
      ...this.#address,
      database,
      // Undefined would make the driver look for one itself.
      password: this.#password ?? (() => ''),
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
    const { tls } = this.#options;
    const mode = tls?.mode ?? 'prefer';
    if (mode === 'disable' || this.#address.host.startsWith('/')) return false;
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
