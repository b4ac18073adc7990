import { HoldfastError } from '@holdfast/contracts';
import { MysqlConnection } from '../connection.ts';
import type { MysqlConnectionOptions } from '../connection-options.ts';
import { quoteName, quotePath, quotePlain, quoteText } from '../quoting.ts';
import { readCatalog } from '../read/catalog.ts';
import { readDefinitions } from '../read/definitions.ts';
import type { ProgramDefinition } from '../schema-facts.ts';
import { Journal, type Move } from './journal.ts';
import { type TargetNames, targetNames } from './names.ts';
import { createPrograms, OWN_MODE } from './programs.ts';

const WAIT_SECONDS = 30;
const DROP_ORDER: readonly ProgramDefinition['kind'][] = [
  'trigger',
  'event',
  'view',
  'package',
  'procedure',
  'function',
];

/** A view that nobody can use is dropped like any other, and never made again. */
const BROKEN = {
  kind: 'view',
  sqlMode: null,
  characterSetClient: 'utf8mb4',
  collationConnection: 'utf8mb4_general_ci',
  databaseCollation: null,
  timeZone: null,
} as const;

interface Contents {
  readonly exists: boolean;
  readonly tables: readonly string[];
  readonly programs: readonly ProgramDefinition[];
  readonly collation: string;
}

/**
 * The database that is restored to. Everything is put together in a scratch database beside it; then one RENAME TABLE
 * moves all tables, old ones out and new ones in. What cannot be renamed (views, routines, triggers, events) is made
 * anew behind that, from a journal, so that the next restore can finish what a crash has left undone.
 */
export class TargetDatabase {
  readonly names: TargetNames;
  readonly journal: Journal;
  readonly connection: MysqlConnection;
  readonly #overwrite: boolean;

  private constructor(connection: MysqlConnection, names: TargetNames, overwrite: boolean) {
    this.connection = connection;
    this.names = names;
    this.#overwrite = overwrite;
    this.journal = new Journal(connection, names);
  }

  /** Mends what an earlier restore has left. ALREADY_EXISTS, TARGET_UNWRITABLE, USAGE, CANCELLED. */
  static async open(
    options: MysqlConnectionOptions,
    { overwrite, signal }: { overwrite: boolean; signal?: AbortSignal },
  ): Promise<TargetDatabase> {
    const names = targetNames(options.database);
    const connection = await MysqlConnection.open(options, {
      side: 'target',
      database: null,
      lockWaitSeconds: WAIT_SECONDS,
      signal,
    });
    const target = new TargetDatabase(connection, names, overwrite);
    try {
      await connection.run(`SET SESSION foreign_key_checks = 0, SESSION sql_mode = ${quotePlain(OWN_MODE)}`);
      await target.mend();
      return target;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  /** Finishes a move that has begun, takes back one that has not, and removes the scratch database. */
  async mend(): Promise<void> {
    const entry = await this.journal.read();
    if (entry?.move) {
      const left = await this.#tablesOf(this.names.scratch);
      const waiting = entry.move.tables.filter((name) => left.includes(name));
      const moved = waiting.length < entry.move.tables.length || entry.move.tables.length === 0;
      if (moved) await this.#finishMove(entry.move, waiting);
      else await this.#takeBack(entry.move);
    }
    await this.#dropDatabase(this.names.scratch);
  }

  /** ALREADY_EXISTS when there is something in it and overwriting was not asked for. */
  async prepare(): Promise<void> {
    this.#refuseFull(await this.#contents());
    await this.connection.run(`CREATE DATABASE ${quoteName(this.names.scratch)}`);
    await this.journal.create();
  }

  /** Puts the target in place. The scratch database has all tables, and the programs have been tried there. */
  async replace(
    move: Pick<Move, 'charset' | 'collation' | 'from' | 'tables' | 'lateColumns' | 'programs'>,
  ): Promise<void> {
    const before = await this.#contents();
    this.#refuseFull(before);
    const { exists, tables, programs, collation } = before;
    if (!exists) await this.connection.run(`CREATE DATABASE ${this.#withCharset(move)}`);
    const whole: Move = { ...move, oldTables: tables, oldPrograms: programs, oldCollation: collation };
    await this.journal.write(whole);
    if (tables.length > 0)
      await this.connection.run(`CREATE DATABASE IF NOT EXISTS ${quoteName(this.names.old)}`);
    for (const { kind, name } of programs)
      if (kind === 'trigger') await this.connection.run(`DROP TRIGGER ${quotePath(this.names.target, name)}`);
    await this.#finishMove(whole, move.tables);
    await this.#dropDatabase(this.names.scratch);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  /** Every step may have been done before. */
  async #finishMove(move: Move, waiting: readonly string[]): Promise<void> {
    const { target, scratch, old } = this.names;
    const out = waiting.length > 0 || move.tables.length === 0 ? await this.#tablesToGo(move) : [];
    const renamings = [
      ...out.map((name) => `${quotePath(target, name)} TO ${quotePath(old, name)}`),
      ...waiting.map((name) => `${quotePath(scratch, name)} TO ${quotePath(target, name)}`),
    ];
    if (renamings.length > 0) await this.connection.run(`RENAME TABLE ${renamings.join(', ')}`);
    await this.connection.run(`ALTER DATABASE ${this.#withCharset(move)}`);
    for (const { table, definitions } of move.lateColumns)
      await this.connection.run(
        `ALTER TABLE ${quotePath(target, table)} ${definitions.map((each) => `MODIFY COLUMN ${each}`).join(', ')}`,
        `table ${table}`,
      );
    await this.#dropPrograms([...move.oldPrograms, ...move.programs]);
    await this.#createIn(target, move.collation, move.from, move.programs);
    await this.#dropDatabase(old);
  }

  /** Nothing has moved: the old database gets back the triggers that went first. */
  async #takeBack(move: Move): Promise<void> {
    const { target } = this.names;
    const left = await this.connection.rows(
      `SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${quoteText(target)}`,
    );
    const there = new Set(left.map((row) => row.name));
    const lost = move.oldPrograms.filter(({ kind, name }) => kind === 'trigger' && !there.has(name));
    await this.#createIn(target, move.oldCollation, target, lost);
    await this.#dropDatabase(this.names.old);
  }

  async #createIn(
    database: string,
    collation: string,
    from: string,
    programs: readonly ProgramDefinition[],
  ): Promise<void> {
    if (programs.length === 0) return;
    await this.connection.run(`USE ${quoteName(database)}`);
    await createPrograms({ connection: this.connection, database, from, collation }, programs);
  }

  /** Tables of before that are still in the target. */
  async #tablesToGo({ oldTables }: Move): Promise<readonly string[]> {
    const there = new Set(await this.#tablesOf(this.names.target));
    const gone = new Set(await this.#tablesOf(this.names.old));
    return oldTables.filter((name) => there.has(name) && !gone.has(name));
  }

  /** Not whatever else somebody has made there since. */
  async #dropPrograms(programs: readonly ProgramDefinition[]): Promise<void> {
    for (const kind of DROP_ORDER)
      for (const { name } of programs.filter((each) => each.kind === kind))
        await this.#dropProgram(kind, name);
  }

  async #dropProgram(kind: ProgramDefinition['kind'], name: string): Promise<void> {
    const drop = `DROP ${kind.toUpperCase()} IF EXISTS ${quotePath(this.names.target, name)}`;
    if (kind !== 'package') return void (await this.connection.run(drop));
    // Its body goes with it. Only in this mode does the server know what a package is.
    await this.connection.run("SET SESSION sql_mode = 'ORACLE'");
    await this.connection.run(drop);
    await this.connection.run(`SET SESSION sql_mode = ${quotePlain(OWN_MODE)}`);
  }

  #refuseFull({ tables, programs }: Contents): void {
    if (this.#overwrite || (tables.length === 0 && programs.length === 0)) return;
    throw new HoldfastError('ALREADY_EXISTS', `Database ${this.names.target} is there and not empty`, {
      hint: 'Choose another name, or say --overwrite to replace what is in it.',
    });
  }

  async #contents(): Promise<Contents> {
    const { target } = this.names;
    const here = quoteText(target);
    const [schema] = await this.connection.rows(
      `SELECT DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${here}`,
    );
    if (!schema) return { exists: false, tables: [], programs: [], collation: '' };
    await this.connection.run(`USE ${quoteName(target)}`);
    const { tables, views, sequences } = await readCatalog(this.connection, target);
    // Triggers of tables alone: the texts of tables do not matter here.
    const definitions = await readDefinitions(this.connection, target, {
      tables: tables.map((table) => ({ table, families: new Map(), time: null })),
      views,
      sequences: [],
    });
    const broken = definitions.broken.map((view) => ({ ...BROKEN, ...view }));
    const names = [...tables.map(({ name }) => name), ...sequences];
    return {
      exists: true,
      tables: names,
      programs: [...definitions.programs, ...broken],
      collation: schema.collation!,
    };
  }

  async #tablesOf(database: string): Promise<readonly string[]> {
    const rows = await this.connection.rows(`SELECT TABLE_NAME AS name FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ${quoteText(database)} AND TABLE_TYPE <> 'VIEW'`);
    return rows.map((row) => row.name!);
  }

  async #dropDatabase(name: string): Promise<void> {
    await this.connection.run(`DROP DATABASE IF EXISTS ${quoteName(name)}`);
  }

  #withCharset({ charset, collation }: Pick<Move, 'charset' | 'collation'>): string {
    return `${quoteName(this.names.target)} CHARACTER SET ${quotePlain(charset)} COLLATE ${quotePlain(collation)}`;
  }
}
