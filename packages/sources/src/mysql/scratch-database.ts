import { randomBytes } from 'node:crypto';
import { MysqlConnection } from './connection.ts';
import type { MysqlConnectionOptions } from './connection-options.ts';
import { quoteName, quoteText } from './quoting.ts';
import { targetNames } from './restore/names.ts';

const PREFIX = 'holdfast_drill_';
const NAME = /^holdfast_drill_[0-9a-f]{16}/;
const WAIT_SECONDS = 60;

/** An empty database of its own name, to restore into with `database: name`, and to drop. */
export interface MysqlScratchDatabase {
  readonly name: string;
  /** Idempotent. TARGET_UNWRITABLE. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Also removes those that earlier runs left behind. Whose run is alive is told by a lock of the database's name, which the server
 * gives up together with the connection, from whatever machine. TARGET_UNWRITABLE, CONFIG_INVALID.
 */
export async function mysqlScratchDatabase(
  options: Omit<MysqlConnectionOptions, 'database'>,
): Promise<MysqlScratchDatabase> {
  const name = PREFIX + randomBytes(8).toString('hex');
  const connection = await MysqlConnection.open(
    { ...options, database: name },
    { side: 'target', database: null, lockWaitSeconds: WAIT_SECONDS },
  );
  try {
    await removeDead(connection);
    await connection.rows(`SELECT GET_LOCK(${quoteText(name)}, 0)`);
    await connection.run(`CREATE DATABASE ${quoteName(name)}`);
  } catch (error) {
    connection.destroy();
    throw error;
  }
  let done: Promise<void> | null = null;
  const drop = (): Promise<void> => {
    done ??= dropAll(connection, name).finally(() => connection.close());
    return done;
  };
  return { name, drop, [Symbol.asyncDispose]: drop };
}

async function removeDead(connection: MysqlConnection): Promise<void> {
  const rows = await connection.rows(
    `SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '${PREFIX.replaceAll('_', '\\_')}%'`,
  );
  const names = new Set(rows.flatMap((row) => NAME.exec(row.name!)?.[0] ?? []));
  for (const name of names) {
    const [row] = await connection.rows(`SELECT IS_FREE_LOCK(${quoteText(name)}) AS free`);
    // Another user's is for that user's next drill to remove.
    if (row?.free === '1') await dropAll(connection, name).catch(() => {});
  }
}

/** The scratch database, and those that a restore to it makes beside it. */
async function dropAll(connection: MysqlConnection, name: string): Promise<void> {
  const { target, scratch, old } = targetNames(name);
  for (const each of [target, scratch, old])
    await connection.run(`DROP DATABASE IF EXISTS ${quoteName(each)}`, `scratch database ${each}`);
}
