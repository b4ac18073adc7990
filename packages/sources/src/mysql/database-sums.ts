import { HoldfastError } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';
import { RowSum } from '../rows/row-sum.ts';
import { cutOnAbort, MysqlConnection } from './connection.ts';
import type { MysqlConnectionOptions } from './connection-options.ts';
import { quoteName } from './quoting.ts';
import { type ColumnFacts, readCatalog } from './read/catalog.ts';
import { selectExpression } from './read/column-forms.ts';
import { windowCondition } from './read/time-windows.ts';
import { TupleStream } from './read/tuple-stream.ts';

const WAIT_SECONDS = 60;

export interface DatabaseSum {
  readonly description: RowsDescription;
  readonly rows: number;
  /** As in the index that belongs to the description: `RowsIndex.checksum`. */
  readonly checksum: Uint8Array;
}

/**
 * Reads a restored database and sums up the rows of each description, in the order given, to be compared with the
 * indexes of the snapshot. SOURCE_UNREADABLE, SOURCE_CHANGED when a table or a column is not there; CANCELLED.
 */
export async function* databaseSums(
  options: MysqlConnectionOptions,
  descriptions: readonly RowsDescription[],
  { rowKey, signal }: { readonly rowKey: Uint8Array; readonly signal?: AbortSignal },
): AsyncGenerator<DatabaseSum> {
  const connection = await MysqlConnection.open(options, {
    side: 'source',
    lockWaitSeconds: WAIT_SECONDS,
    signal,
  });
  try {
    const { tables } = await readCatalog(connection, options.database);
    const columns = new Map(tables.map((table) => [table.name, table.columns]));
    for (const description of descriptions) {
      const facts = columns.get(description.table) ?? [];
      yield await cutOnAbort([connection], signal, () => sumOf(connection, description, facts, rowKey));
    }
  } finally {
    connection.destroy();
  }
}

async function sumOf(
  connection: MysqlConnection,
  description: RowsDescription,
  facts: readonly ColumnFacts[],
  rowKey: Uint8Array,
): Promise<DatabaseSum> {
  const { table, columns, window, keyColumns } = description;
  const what = columns.map(({ name }) => {
    const fact = facts.find((each) => each.name === name);
    if (fact) return selectExpression(table, fact);
    throw new HoldfastError('SOURCE_CHANGED', `Database ${connection.scene.database} lacks ${table}.${name}`);
  });
  const where = window === null ? '' : ` WHERE ${windowCondition(table, window)}`;
  const sql = `SELECT ${what.join(', ')} FROM ${quoteName(table)}${where}`;
  const stream = new TupleStream(connection, sql, columns.length, `table ${table}`);
  const sum = new RowSum({ fields: columns.length, keyFields: keyColumns, rowKey });
  for (;;) {
    const tuples = await stream.next();
    if (tuples === null) return { description, rows: sum.rows, checksum: sum.checksum() };
    sum.add(tuples);
  }
}
