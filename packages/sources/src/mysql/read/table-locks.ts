import { HoldfastError } from '@holdfast/contracts';
import { MysqlConnection } from '../connection.ts';
import type { MysqlConnectionOptions } from '../connection-options.ts';
import { quoteName } from '../quoting.ts';
import { WITHOUT_ROWS } from './catalog.ts';
import type { SelectedTable } from './selection.ts';

/**
 * What to do with tables in engines without transactions (MyISAM, Aria, MEMORY), whose rows change under a reader.
 * `refuse`: no backup. `lock`: nobody writes to them until they are read. `allow`: their rows may be of several moments.
 */
export const NON_TRANSACTIONAL = ['refuse', 'lock', 'allow'] as const;
export type NonTransactional = (typeof NON_TRANSACTIONAL)[number];

/** As long as others would wait behind us for the last of the tables. */
const WAIT_SECONDS = 30;

const unsafeTables = (tables: readonly SelectedTable[]): readonly SelectedTable[] =>
  tables.filter(({ table }) => !table.transactional && !WITHOUT_ROWS.has(table.engine));

/** SOURCE_UNREADABLE names the tables. */
export function refuseNonTransactional(tables: readonly SelectedTable[]): void {
  const unsafe = unsafeTables(tables).map(({ table }) => `${table.name} (${table.engine})`);
  if (unsafe.length === 0) return;
  throw new HoldfastError(
    'SOURCE_UNREADABLE',
    `These tables are in storage engines without transactions, so that they cannot be read as of one moment: ${unsafe.join(', ')}`,
    {
      hint: 'Best: ALTER TABLE … ENGINE=InnoDB. Else set nonTransactional: lock (writers wait while the backup reads) or allow (rows may be of several moments), or exclude these tables.',
      details: { tables: unsafe },
    },
  );
}

/** Holds writers off from such tables, in a session of its own, until it is closed. Null when there are none. */
export async function lockTables(
  server: MysqlConnectionOptions,
  tables: readonly SelectedTable[],
  signal?: AbortSignal,
): Promise<MysqlConnection | null> {
  const names = unsafeTables(tables).map(({ table }) => table.name);
  if (names.length === 0) return null;
  const connection = await MysqlConnection.open(server, {
    side: 'source',
    lockWaitSeconds: WAIT_SECONDS,
    signal,
  });
  try {
    await connection.run(
      `LOCK TABLES ${names.map((name) => `${quoteName(name)} READ`).join(', ')}`,
      `tables ${names.join(', ')} (nonTransactional: lock)`,
    );
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
