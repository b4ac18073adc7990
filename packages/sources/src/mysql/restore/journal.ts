import { randomUUID } from 'node:crypto';
import { HoldfastError } from '@holdfast/contracts';
import type { MysqlConnection } from '../connection.ts';
import { quotePath, quoteText } from '../quoting.ts';
import type { ProgramDefinition } from '../schema-facts.ts';
import { serverErrno } from '../server-errors.ts';
import { JOURNAL, type TargetNames } from './names.ts';
import type { LateColumns } from './sequence-defaults.ts';

const NO_SUCH = new Set([1146, 1049]);

/** What is about to happen to the target, written down before it does: a crash at any step can then be mended. */
export interface Move {
  readonly charset: string;
  readonly collation: string;
  /** The database that the programs come from. */
  readonly from: string;
  /** Tables and sequences that move from the scratch database to the target. */
  readonly tables: readonly string[];
  readonly lateColumns: readonly LateColumns[];
  readonly programs: readonly ProgramDefinition[];
  /** Of the target, and what it had before. Its triggers go before the move, as tables with triggers cannot be moved. */
  readonly oldTables: readonly string[];
  readonly oldPrograms: readonly ProgramDefinition[];
  readonly oldCollation: string;
}

export interface JournalEntry {
  readonly run: string;
  readonly move: Move | null;
}

/** One row in the scratch database: whose it is, and how far. */
export class Journal {
  readonly run: string = randomUUID();
  readonly #connection: MysqlConnection;
  readonly #table: string;

  constructor(connection: MysqlConnection, { scratch }: TargetNames) {
    this.#connection = connection;
    this.#table = quotePath(scratch, JOURNAL);
  }

  /** Null when no restore has left anything. */
  async read(): Promise<JournalEntry | null> {
    try {
      const [row] = await this.#connection.rows(`SELECT run, move FROM ${this.#table}`);
      return row ? { run: row.run!, move: row.move ? (JSON.parse(row.move) as Move) : null } : null;
    } catch (error) {
      if (NO_SUCH.has(serverErrno({ errno: (error as HoldfastError).details?.errno }))) return null;
      throw error;
    }
  }

  async create(): Promise<void> {
    await this.#connection.run(
      `CREATE TABLE ${this.#table} (run char(36) NOT NULL, move longtext CHARACTER SET utf8mb4) ENGINE=InnoDB`,
    );
    await this.#connection.run(`INSERT INTO ${this.#table} VALUES (${quoteText(this.run)}, NULL)`);
  }

  async write(move: Move): Promise<void> {
    const text = quoteText(JSON.stringify(move));
    await this.#connection.run(`UPDATE ${this.#table} SET move = ${text} WHERE run = ${quoteText(this.run)}`);
    await this.checkOurs();
  }

  /** TARGET_UNWRITABLE when another restore to the same target has begun since. */
  async checkOurs(): Promise<void> {
    const entry = await this.read();
    if (entry?.run === this.run) return;
    throw new HoldfastError(
      'TARGET_UNWRITABLE',
      `Another restore to database ${this.#connection.scene.database} has taken over`,
      { hint: 'Let one restore at a time write to a database.' },
    );
  }
}
