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

export interface RowSums {
  readonly rows: number;
  /** As in the index that belongs to the description: `RowsIndex.checksum`. */
  readonly checksum: Uint8Array;
}

/** Reads restored tables back, to be compared with what was recorded at backup. Ended by its user. */
export class MysqlDatabaseSums {
  readonly #connection: MysqlConnection;
  readonly #columns: ReadonlyMap<string, readonly ColumnFacts[]>;

  private constructor(connection: MysqlConnection, columns: ReadonlyMap<string, readonly ColumnFacts[]>) {
    this.#connection = connection;
    this.#columns = columns;
  }

  /** SOURCE_UNREADABLE. */
  static async connect(options: MysqlConnectionOptions): Promise<MysqlDatabaseSums> {
    const connection = await MysqlConnection.open(options, { side: 'source', lockWaitSeconds: WAIT_SECONDS });
    try {
      const { tables } = await readCatalog(connection, options.database);
      return new MysqlDatabaseSums(connection, new Map(tables.map((table) => [table.name, table.columns])));
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  /** Of the object's rows as they are in the database. SOURCE_UNREADABLE, SOURCE_CHANGED when they are not there; CANCELLED. */
  async of(description: RowsDescription, rowKey: Uint8Array, signal?: AbortSignal): Promise<RowSums> {
    return cutOnAbort([this.#connection], signal, () => this.#sum(description, rowKey));
  }

  async end(): Promise<void> {
    await this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  async #sum(description: RowsDescription, rowKey: Uint8Array): Promise<RowSums> {
    const { table, columns, keyColumns } = description;
    const sql = this.#selectOf(description);
    const stream = new TupleStream(this.#connection, sql, columns.length, `table ${table}`);
    const sum = new RowSum({ fields: columns.length, keyFields: keyColumns, rowKey });
    for (;;) {
      const tuples = await stream.next();
      if (tuples === null) return { rows: sum.rows, checksum: sum.checksum() };
      sum.add(tuples);
    }
  }

  /** The checksum does not depend on the order, so the server need not sort. */
  #selectOf({ table, columns, window }: RowsDescription): string {
    const facts = this.#columns.get(table) ?? [];
    const what = columns.map(({ name }) => {
      const fact = facts.find((each) => each.name === name);
      if (fact) return selectExpression(table, fact);
      const { database } = this.#connection.scene;
      throw new HoldfastError(
        'SOURCE_CHANGED',
        `Database ${database} lacks column ${name} of table ${table}`,
      );
    });
    const where = window === null ? '' : ` WHERE ${windowCondition(table, window)}`;
    return `SELECT ${what.join(', ')} FROM ${quoteName(table)}${where}`;
  }
}
