import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { HoldfastError } from '@holdfast/contracts';
import type pg from 'pg';
import { copyDatabaseProperties } from './database-properties.ts';
import type { ServerAccess } from './server-access.ts';
import { codeOf, targetError } from './server-errors.ts';
import { literal, MAX_NAME_BYTES, quoted } from './sql-names.ts';
import { userObjects } from './user-objects.ts';

const PARTIAL = '.holdfast-partial';
const OLD = '.old.holdfast-partial';
const SHOWN_OBJECTS = 5;
const OLDEST_SERVER = 130_000;

export interface TargetOptions {
  readonly database: string;
  readonly overwrite: boolean;
  /** Whether a database that is not there may be made. */
  readonly create: boolean;
  /** Whether other sessions of the old database may be ended, at the moment of the swap. */
  readonly terminateSessions: boolean;
  /** A database to be connected to while others are made and renamed. */
  readonly maintenanceDatabase: string;
}

export interface DatabaseLocale {
  readonly encoding: string;
  readonly collation: string;
}

/**
 * A database in the making beside its final name, which it takes by one transaction at the end: before its commit the old
 * one is there, after it the new one. A later run to the same target takes over: it drops what it finds under the partial name.
 */
export class TargetDatabase {
  readonly partialName: string;
  readonly serverVersion: number;
  readonly #access: ServerAccess;
  readonly #options: TargetOptions;
  readonly #client: pg.Client;
  #oid: string | null = null;
  #swapped = false;

  private constructor(
    access: ServerAccess,
    options: TargetOptions,
    client: pg.Client,
    serverVersion: number,
  ) {
    this.#access = access;
    this.#options = options;
    this.#client = client;
    this.serverVersion = serverVersion;
    this.partialName = besideName(options.database, PARTIAL);
  }

  /** Changes nothing. ALREADY_EXISTS, NOT_FOUND, TARGET_UNWRITABLE. */
  static async check(access: ServerAccess, options: TargetOptions): Promise<TargetDatabase> {
    if (Buffer.byteLength(options.database) > MAX_NAME_BYTES || options.database === '')
      throw new HoldfastError('USAGE', `A database’s name has 1 to ${MAX_NAME_BYTES} bytes`);
    if (options.database === options.maintenanceDatabase)
      throw new HoldfastError('USAGE', `Cannot restore to ${options.database} while connected to it`, {
        hint: 'Name another database of the server to connect to (maintenanceDatabase: template1).',
      });
    const client = await access.connect(options.maintenanceDatabase);
    try {
      const version = await checkServer(client, options.database);
      const target = new TargetDatabase(access, options, client, version);
      await target.#checkExisting();
      return target;
    } catch (error) {
      await client.end().catch(() => {});
      throw targetError(error, `Cannot restore to database ${options.database}`);
    }
  }

  /** The connection to the maintenance database. */
  get client(): pg.Client {
    return this.#client;
  }

  /** Makes the partial database, in place of an earlier run's. TARGET_UNWRITABLE, DISK_FULL. */
  async create(locale: DatabaseLocale): Promise<void> {
    const name = quoted(this.partialName);
    const [encoding, collation] = [literal(locale.encoding), literal(locale.collation)];
    try {
      await this.#dropLeftovers();
      await this.#client.query(
        `CREATE DATABASE ${name} TEMPLATE template0 ENCODING ${encoding} LC_COLLATE ${collation} LC_CTYPE ${collation}`,
      );
      this.#oid = await this.#oidOf(this.partialName);
      const comment = `Being restored by Holdfast on ${hostname()}, process ${process.pid}`;
      await this.#client.query(`COMMENT ON DATABASE ${name} IS ${literal(comment)}`);
    } catch (error) {
      throw localeError(error, locale) ?? targetError(error, `Cannot create database ${this.partialName}`);
    }
  }

  /**
   * Gives the finished database its name. No connection of ours to it may be open. Notes what could not be done
   * though the database is in place. TARGET_UNWRITABLE, and then the old one is as it was.
   */
  async swap(): Promise<string[]> {
    const { database } = this.#options;
    try {
      const old = await this.#oidOf(database);
      const notes = old === null ? [] : await copyDatabaseProperties(this.#client, old, this.partialName);
      await this.#client.query(
        `COMMENT ON DATABASE ${quoted(this.partialName)} IS ${await this.#commentOf(old)}`,
      );
      await this.#rename(old !== null);
      this.#swapped = true;
      return old === null ? notes : [...notes, ...(await this.#dropOld())];
    } catch (error) {
      throw targetError(error, `Cannot put database ${database} in place`);
    } finally {
      if (this.#swapped) await this.#client.end().catch(() => {});
    }
  }

  /**
   * Drops what was made. Idempotent; does nothing after `swap`. A server that is away keeps it under its partial name,
   * until the next run.
   */
  async discard(): Promise<void> {
    if (this.#swapped) return;
    this.#swapped = true;
    try {
      await this.#dropOurs(this.#client);
    } catch {
      await this.#access
        .connect(this.#options.maintenanceDatabase)
        .then((client) => this.#dropOurs(client).finally(() => client.end()))
        .catch(() => {});
    } finally {
      await this.#client.end().catch(() => {});
    }
  }

  async #dropOurs(client: pg.Client): Promise<void> {
    if (this.#oid === null) return;
    // Another run may have taken the name over.
    const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1 AND oid = $2', [
      this.partialName,
      this.#oid,
    ]);
    if (rows.length > 0)
      await client.query(`DROP DATABASE IF EXISTS ${quoted(this.partialName)} WITH (FORCE)`);
  }

  async #checkExisting(): Promise<void> {
    const { database, create, overwrite } = this.#options;
    const oid = await this.#oidOf(database);
    if (oid === null && !create)
      throw new HoldfastError('NOT_FOUND', `There is no database ${database} at ${this.#access.display}`, {
        hint: 'Create it, or let the restore do it (create).',
      });
    if (oid === null) return;
    await this.#checkRights(oid);
    if (!overwrite) await this.#checkEmpty();
    if (!this.#options.terminateSessions) await this.#checkSessions();
  }

  /** Renaming takes an owner who may also create databases. */
  async #checkRights(oid: string): Promise<void> {
    const { database } = this.#options;
    const { rows } = await this.#client.query(
      `SELECT pg_has_role(datdba, 'USAGE') AS owner, pg_get_userbyid(datdba) AS name, current_user AS self
       FROM pg_database WHERE oid = $1`,
      [oid],
    );
    const [{ owner, name, self }] = rows as [{ owner: boolean; name: string; self: string }];
    if (owner) return;
    throw new HoldfastError(
      'TARGET_UNWRITABLE',
      `Database ${database} belongs to ${name}; ${self} cannot replace it`,
      {
        hint: `Connect as ${name} or a superuser, or run: GRANT ${quoted(name)} TO ${quoted(self)}`,
      },
    );
  }

  async #checkEmpty(): Promise<void> {
    const { database } = this.#options;
    const client = await this.#access.connect(database);
    try {
      const found = await userObjects(client, SHOWN_OBJECTS + 1);
      if (found.length === 0) return;
      const shown = found.slice(0, SHOWN_OBJECTS).join(', ') + (found.length > SHOWN_OBJECTS ? ', …' : '');
      throw new HoldfastError('ALREADY_EXISTS', `Database ${database} is not empty: it has ${shown}`, {
        hint: 'Restore to another database, or replace this one (overwrite).',
        details: { database, objects: found.slice(0, SHOWN_OBJECTS) },
      });
    } finally {
      await client.end();
    }
  }

  /** Better now than after hours of restoring. */
  async #checkSessions(): Promise<void> {
    const { rows } = await this.#client.query<{ pid: number; application_name: string; usename: string }>(
      `SELECT pid, application_name, usename FROM pg_stat_activity
       WHERE datname = $1 AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      [this.#options.database],
    );
    if (rows.length > 0)
      throw this.#inUse(rows.map((row) => `${row.usename} (${row.application_name || row.pid})`));
  }

  #inUse(who: readonly string[]): HoldfastError {
    const shown = who.slice(0, SHOWN_OBJECTS).join(', ');
    return new HoldfastError(
      'TARGET_UNWRITABLE',
      `Database ${this.#options.database} is in use${shown === '' ? '' : ` by ${shown}`}, so it cannot be replaced`,
      { hint: 'End those sessions, or let the restore end them at its end (terminateSessions).' },
    );
  }

  async #dropLeftovers(): Promise<void> {
    await this.#client.query(`DROP DATABASE IF EXISTS ${quoted(this.partialName)} WITH (FORCE)`);
    // Whatever is behind a database of the final name was replaced by it.
    if ((await this.#oidOf(this.#options.database)) !== null) await this.#dropOld();
  }

  async #dropOld(): Promise<string[]> {
    const name = besideName(this.#options.database, OLD);
    try {
      await this.#client.query(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`);
      return [];
    } catch (error) {
      return [
        `The replaced database could not be dropped and is still there as ${name}: ${(error as Error).message}`,
      ];
    }
  }

  /** Both renames or none. While they wait for sessions to leave, no new ones get in. */
  async #rename(replacing: boolean): Promise<void> {
    const { database, terminateSessions } = this.#options;
    const ending = replacing && terminateSessions ? this.#endSessions() : null;
    try {
      await this.#client.query('BEGIN');
      await this.#client.query('SET LOCAL synchronous_commit = on');
      if (replacing)
        await this.#client.query(
          `ALTER DATABASE ${quoted(database)} RENAME TO ${quoted(besideName(database, OLD))}`,
        );
      await this.#client.query(`ALTER DATABASE ${quoted(this.partialName)} RENAME TO ${quoted(database)}`);
      if ((await this.#oidOf(database)) !== this.#oid) throw takenOver(database);
      await this.#client.query('COMMIT');
    } catch (error) {
      await this.#client.query('ROLLBACK').catch(() => {});
      if (codeOf(error) === '3D000') throw takenOver(database);
      throw codeOf(error) === '55006' && replacing ? this.#inUse([]) : error;
    } finally {
      await ending?.stop();
    }
  }

  #endSessions(): { stop(): Promise<void> } {
    let stopped = false;
    const { database, maintenanceDatabase } = this.#options;
    const work = async (): Promise<void> => {
      const client = await this.#access.connect(maintenanceDatabase);
      try {
        while (!stopped) {
          await client.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = $1 AND backend_type = 'client backend'`,
            [database],
          );
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      } finally {
        await client.end();
      }
    };
    const done = work().catch(() => {});
    return {
      stop: () => {
        stopped = true;
        return done;
      },
    };
  }

  async #oidOf(name: string): Promise<string | null> {
    const { rows } = await this.#client.query('SELECT oid::text AS oid FROM pg_database WHERE datname = $1', [
      name,
    ]);
    return (rows[0] as { oid: string } | undefined)?.oid ?? null;
  }

  async #commentOf(oid: string | null): Promise<string> {
    const { rows } = await this.#client.query(`SELECT shobj_description($1::oid, 'pg_database') AS text`, [
      oid ?? 0,
    ]);
    const text = (rows as [{ text: string | null }])[0].text;
    return text === null ? 'NULL' : literal(text);
  }
}

const takenOver = (database: string): HoldfastError =>
  new HoldfastError('TARGET_UNWRITABLE', `Another restore to database ${database} has taken over`, {
    hint: 'Run one restore to a target at a time.',
  });

/** What a restore to the database may leave behind when it is killed. */
export const leftoverNames = (database: string): string[] =>
  [PARTIAL, OLD].map((suffix) => besideName(database, suffix));

/** Where the name would be too long, a hash stands for its end: the server would cut it. */
export function besideName(database: string, suffix: string): string {
  if (Buffer.byteLength(database + suffix) <= MAX_NAME_BYTES) return database + suffix;
  const hash = `~${createHash('sha256').update(database).digest('hex').slice(0, 12)}`;
  const room = MAX_NAME_BYTES - Buffer.byteLength(hash + suffix);
  // Cutting a character in two leaves a replacement character, of three bytes.
  let head = Buffer.from(database).subarray(0, room).toString('utf8').replace(/�+$/, '');
  while (Buffer.byteLength(head) > room) head = head.slice(0, -1);
  return head + hash + suffix;
}

async function checkServer(client: pg.Client, database: string): Promise<number> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby,
       rolsuper OR rolcreatedb AS may, rolname AS self FROM pg_roles WHERE rolname = current_user`,
  );
  const [{ version, standby, may, self }] = rows as [
    { version: number; standby: boolean; may: boolean; self: string },
  ];
  if (version < OLDEST_SERVER)
    throw new HoldfastError(
      'TARGET_UNWRITABLE',
      `The server is PostgreSQL ${Math.floor(version / 10_000)}; 13 is the oldest that is supported`,
    );
  if (standby)
    throw new HoldfastError('TARGET_UNWRITABLE', 'The server is a standby: it cannot be written', {
      hint: 'Connect to the primary.',
    });
  if (may) return version;
  throw new HoldfastError(
    'TARGET_UNWRITABLE',
    `${self} may not create databases, which restoring to ${database} takes`,
    {
      hint: `Run as a superuser: ALTER ROLE ${quoted(self)} CREATEDB — a restore is made beside the target and renamed at the end.`,
      details: { role: self },
    },
  );
}

function localeError(error: unknown, { encoding, collation }: DatabaseLocale): HoldfastError | null {
  const message = error instanceof Error ? error.message : '';
  if (!/locale|encoding/i.test(message)) return null;
  return new HoldfastError(
    'TARGET_UNWRITABLE',
    `The server cannot make a database of encoding ${encoding} and locale ${collation}: ${message}`,
    {
      hint: 'Install the locale on the database server (on Debian: dpkg-reconfigure locales), or choose another one (locale).',
    },
  );
}
