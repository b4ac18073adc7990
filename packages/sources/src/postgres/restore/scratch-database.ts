import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { HoldfastError } from '@holdfast/contracts';
import type pg from 'pg';
import { type PostgresServerOptions, ServerAccess } from './server-access.ts';
import { codeOf, targetError } from './server-errors.ts';
import { literal, quoted } from './sql-names.ts';
import { leftoverNames } from './target-database.ts';

const PREFIX = 'holdfast_drill_';
const COMMENT = 'Scratch database of a Holdfast restore drill';

/** An empty database of its own name, to restore into with `database: name`, and to drop. */
export interface ScratchDatabase {
  readonly name: string;
  /** Idempotent. TARGET_UNWRITABLE. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Also removes those that earlier runs left behind. Whose run is alive is told by a lock, which the server gives up together
 * with the connection, from whatever machine; the comment with host and process is for people. TARGET_UNWRITABLE.
 */
export async function scratchDatabase(
  options: PostgresServerOptions & { readonly maintenanceDatabase?: string },
): Promise<ScratchDatabase> {
  const access = await ServerAccess.of(options);
  const client = await access.connect(options.maintenanceDatabase ?? 'postgres', { statement_timeout: '0' });
  const name = PREFIX + randomBytes(8).toString('hex');
  try {
    await removeDead(access, client);
    await client.query('SELECT pg_advisory_lock($1)', [lockOf(name)]);
    await client.query(`CREATE DATABASE ${quoted(name)} TEMPLATE template0`);
    const comment = `${COMMENT} on ${hostname()}, process ${process.pid}`;
    await client.query(`COMMENT ON DATABASE ${quoted(name)} IS ${literal(comment)}`);
  } catch (error) {
    await client.end().catch(() => {});
    throw creationError(error, name, options.user);
  }
  const drop = onceOnly(() => dropAndEnd(access, client, name));
  return { name, drop, [Symbol.asyncDispose]: drop };
}

function creationError(error: unknown, name: string, user: string | undefined): HoldfastError {
  const failure = targetError(error, `Cannot create scratch database ${name}`);
  if (codeOf(error) !== '42501') return failure;
  return new HoldfastError(failure.code, failure.message, {
    hint: `Run as a superuser: ALTER ROLE ${user === undefined ? '…' : quoted(user)} CREATEDB. Or drill as another user, or on another server.`,
    details: failure.details,
  });
}

async function dropAndEnd(access: ServerAccess, client: pg.Client, name: string): Promise<void> {
  try {
    await dropAll(access, client, name);
  } catch (error) {
    throw targetError(error, `Cannot drop scratch database ${name}`);
  } finally {
    await client.end().catch(() => {});
  }
}

async function removeDead(access: ServerAccess, client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT datname AS name FROM pg_database WHERE datname ~ $1',
    [`^${PREFIX}[0-9a-f]{16}`],
  );
  // Another user's is for that user's next drill to remove.
  for (const name of new Set(rows.map((row) => row.name.slice(0, PREFIX.length + 16))))
    if (!(await isAlive(client, name))) await dropAll(access, client, name).catch(() => {});
}

/** The lock is taken before the database is made. It may be one of another database, where another run is connected to that. */
async function isAlive(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
       AND classid = ($1::int8 >> 32)::oid AND objid = ($1::int8 & 4294967295)::oid`,
    [lockOf(name)],
  );
  return rows.length > 0;
}

async function dropAll(access: ServerAccess, client: pg.Client, name: string): Promise<void> {
  for (const each of [name, ...leftoverNames(name)]) {
    await dropSubscriptions(access, client, each);
    await client.query(`DROP DATABASE IF EXISTS ${quoted(each)} WITH (FORCE)`);
  }
}

/** They keep a database from being dropped. Restored ones were never connected to anything, so nothing is lost elsewhere. */
async function dropSubscriptions(access: ServerAccess, client: pg.Client, database: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT subname AS name FROM pg_subscription JOIN pg_database ON pg_database.oid = subdbid WHERE datname = $1`,
    [database],
  );
  if (rows.length === 0) return;
  const inside = await access.connect(database);
  try {
    for (const { name } of rows) {
      await inside.query(`ALTER SUBSCRIPTION ${quoted(name)} DISABLE`);
      await inside.query(`ALTER SUBSCRIPTION ${quoted(name)} SET (slot_name = NONE)`);
      await inside.query(`DROP SUBSCRIPTION ${quoted(name)}`);
    }
  } finally {
    await inside.end();
  }
}

/** 63 bits of the name's hash, decimal. */
const lockOf = (name: string): string =>
  String(createHash('sha256').update(name).digest().readBigUInt64BE() >> 1n);

function onceOnly(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => {
    done ??= work();
    return done;
  };
}
