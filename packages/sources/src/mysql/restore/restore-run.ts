import { type ContentWriter, HoldfastError } from '@holdfast/contracts';
import type { RowsDescription } from '@holdfast/formats/rows';
import { cutOnAbort, type MysqlConnection } from '../connection.ts';
import { quoteName, quotePath } from '../quoting.ts';
import { WITHOUT_ROWS } from '../read/catalog.ts';
import type { Counters, Definitions, FactsTable, ProgramDefinition, SchemaFacts } from '../schema-facts.ts';
import { LoadLanes } from './load-lanes.ts';
import type { MysqlSinkOptions } from './mysql-sink.ts';
import { stageName } from './names.ts';
import { createPrograms } from './programs.ts';
import { putBack } from './put-back.ts';
import { lateColumns, withoutSequences } from './sequence-defaults.ts';
import { createStage, joinParts, partOf, type StagedPart } from './staged-parts.ts';
import { TableLoader } from './table-loader.ts';
import type { TargetDatabase } from './target-database.ts';

const CONNECTIONS = 2;

const PASSED_OVER: ContentWriter = { write: async () => undefined, complete: async () => undefined };

interface Schema {
  readonly definitions: Definitions;
  readonly facts: SchemaFacts;
}

/** One restore, from the first object to the last step. */
export class RestoreRun {
  readonly notes: string[] = [];
  readonly #target: TargetDatabase;
  readonly #options: MysqlSinkOptions;
  readonly #lanes: LoadLanes;
  readonly #loader: TableLoader;
  #schema: Schema | null = null;
  #counters: Counters = { autoIncrement: [], sequences: [] };
  /** Tables that rows have come of. */
  readonly #seen = new Set<string>();
  readonly #parts: StagedPart[] = [];
  /** Rows of the object that came last; null when it was passed over. */
  #lastCount: number | null = null;

  private constructor(target: TargetDatabase, options: MysqlSinkOptions, byFile: boolean) {
    this.#target = target;
    this.#options = options;
    this.#lanes = new LoadLanes(options, Math.max(1, options.connections ?? CONNECTIONS));
    this.#loader = new TableLoader(this.#lanes, byFile);
  }

  static async begin(target: TargetDatabase, options: MysqlSinkOptions): Promise<RestoreRun> {
    const [row] = await target.connection.rows('SELECT @@local_infile AS allowed');
    return new RestoreRun(target, options, row?.allowed === '1' && options.localInfile !== false);
  }

  /** Foreign keys are made with them: until the end the server does not look whether the other table is there. */
  async createTables(definitions: Definitions, facts: SchemaFacts): Promise<void> {
    this.#checkFamilies(facts);
    this.#schema = { definitions, facts };
    const { scratch } = this.#target.names;
    await this.#connection.run(
      `ALTER DATABASE ${quoteName(scratch)} CHARACTER SET ${quoteName(facts.charset)} COLLATE ${quoteName(facts.collation)}`,
    );
    if (this.#options.putBack) return;
    await this.#connection.run(`USE ${quoteName(scratch)}`);
    for (const { name, create } of definitions.sequences)
      await this.#connection.run(create, `sequence ${name}`);
    for (const table of definitions.tables)
      await this.#connection.run(withoutSequences(table, facts.database), `table ${table.name}`);
  }

  /** FORMAT_INVALID, TARGET_UNWRITABLE. */
  async openRows(description: RowsDescription, signal?: AbortSignal): Promise<ContentWriter> {
    const { table, family } = description;
    const facts = this.#factsOf(table);
    const { scratch, target } = this.#target.names;
    const counted = (rows: number): void => {
      this.#lastCount = rows;
    };
    this.#lastCount = null;
    if (!this.#isWanted(table, family)) return PASSED_OVER;
    this.#seen.add(table);
    if (Object.keys(facts.families).length === 0)
      return this.#loader.open(scratch, table, description, counted, signal);
    let part = this.#parts.find((each) => each.table === table && each.family === family);
    if (!part) {
      part = partOf(description, stageName(this.#parts.length));
      if (part.key.length === 0)
        throw new HoldfastError('FORMAT_INVALID', `Table ${table} has families, but no key`);
      this.#parts.push(part);
      await createStage(this.#connection, scratch, this.#options.putBack ? target : scratch, part);
    }
    return this.#loader.open(scratch, part.stage, description, counted, signal);
  }

  /** Of the object of rows before. FORMAT_INVALID. */
  checkCount(rows: number, path: string): void {
    if (this.#lastCount !== null && rows !== this.#lastCount)
      throw new HoldfastError('FORMAT_INVALID', `${path} counts ${rows} rows, but ${this.#lastCount} came`);
  }

  setCounters(counters: Counters): void {
    this.#counters = counters;
  }

  async finish(signal?: AbortSignal): Promise<void> {
    await cutOnAbort([this.#connection], signal, async () => {
      await this.#lanes.settle();
      await this.#target.journal.checkOurs();
      if (this.#options.putBack) await this.#putBack();
      else await this.#replace();
    });
  }

  async close(): Promise<void> {
    await this.#lanes.close();
  }

  destroy(): void {
    this.#lanes.destroy();
  }

  get #connection(): MysqlConnection {
    return this.#target.connection;
  }

  #isWanted(table: string, family: string | null): boolean {
    const { putBack: wanted, without = [] } = this.#options;
    const name = `${table}.${family}`;
    if (wanted) return family !== null && wanted.includes(name);
    return family === null || !without.includes(name);
  }

  #wantedPrograms({ programs }: Definitions): readonly ProgramDefinition[] {
    return this.#options.events === false ? programs.filter(({ kind }) => kind !== 'event') : programs;
  }

  /** USAGE for families that the snapshot does not have. */
  #checkFamilies(facts: SchemaFacts): void {
    const known = facts.tables.flatMap(({ name, families }) =>
      Object.keys(families).map((family) => `${name}.${family}`),
    );
    const { putBack: wanted = [], without = [] } = this.#options;
    const lost = [...wanted, ...without].find((name) => !known.includes(name));
    if (lost !== undefined)
      throw new HoldfastError('USAGE', `The snapshot has no family ${lost}`, {
        hint: known.length > 0 ? `It has ${known.join(', ')}.` : 'None of its tables has families.',
      });
  }

  async #putBack(): Promise<void> {
    const { definitions } = this.#whole();
    const overwrite = this.#options.overwrite ?? false;
    await putBack(this.#connection, this.#target.names, this.#parts, definitions.tables, overwrite);
    await this.#target.mend();
  }

  async #replace(): Promise<void> {
    const { definitions, facts } = this.#whole();
    for (const table of new Set(this.#parts.map((part) => part.table))) await this.#join(table);
    const tables = await this.#keepSeen();
    const kept = new Set(tables);
    await this.#restoreCounters(kept);
    const programs = kept.size === definitions.tables.length ? this.#wantedPrograms(definitions) : [];
    const sound = await this.#rehearse(programs);
    for (const { name } of definitions.broken)
      this.notes.push(`View ${name} was already unusable when it was backed up, and is left out`);
    const sequences = definitions.sequences.map(({ name }) => name);
    const { charset, collation, database: from } = facts;
    const late = definitions.tables.filter(({ name }) => kept.has(name));
    await this.#target.replace({
      charset,
      collation,
      from,
      tables: [...tables, ...sequences],
      lateColumns: late.flatMap((table) => lateColumns(table, from, this.#target.names.target) ?? []),
      programs: sound,
    });
  }

  async #join(table: string): Promise<void> {
    const parts = this.#parts.filter((part) => part.table === table);
    const { scratch } = this.#target.names;
    const families = Object.entries(this.#factsOf(table).families);
    const rows = await this.#connection.rows(
      `SELECT 1 AS one FROM ${quotePath(scratch, parts.find(({ family }) => family === null)?.stage ?? '')} LIMIT 1`,
    );
    // Of a table without rows only one object comes, and nothing is lacking.
    const absent =
      rows.length === 0 ? [] : families.filter(([name]) => !parts.some(({ family }) => family === name));
    for (const [name] of absent)
      this.notes.push(`Table ${table}: family ${name} was left out; its columns are null`);
    await joinParts(
      this.#connection,
      scratch,
      parts,
      absent.flatMap(([, columns]) => columns),
    );
  }

  /** Of a snapshot of which only some tables were chosen, the others are not made. */
  async #keepSeen(): Promise<readonly string[]> {
    const { definitions, facts } = this.#whole();
    const isKept = ({ name, engine }: FactsTable): boolean =>
      this.#seen.has(name) || WITHOUT_ROWS.has(engine);
    const kept = new Set(facts.tables.filter(isKept).map(({ name }) => name));
    const gone = definitions.tables.filter(({ name }) => !kept.has(name)).map(({ name }) => name);
    for (const name of gone)
      await this.#connection.run(`DROP TABLE ${quotePath(this.#target.names.scratch, name)}`);
    if (gone.length > 0)
      this.notes.push(`Only chosen tables were restored, without views, routines, triggers and events`);
    return definitions.tables.map(({ name }) => name).filter((name) => kept.has(name));
  }

  async #restoreCounters(tables: ReadonlySet<string>): Promise<void> {
    const { scratch } = this.#target.names;
    for (const { table, next } of this.#counters.autoIncrement)
      if (tables.has(table) && next !== '1')
        await this.#connection.run(
          `ALTER TABLE ${quotePath(scratch, table)} AUTO_INCREMENT = ${next}`,
          `table ${table}`,
        );
    for (const { name, next, round } of this.#counters.sequences)
      await this.#connection.rows(
        `SELECT SETVAL(${quotePath(scratch, name)}, ${next}, 0, ${round})`,
        `sequence ${name}`,
      );
    for (const table of tables)
      await this.#connection.rows(
        `ANALYZE NO_WRITE_TO_BINLOG TABLE ${quotePath(scratch, table)}`,
        `table ${table}`,
      );
  }

  /**
   * Makes everything in the scratch database first, where a failure harms nothing: a function that this server refuses, a
   * definer that this user may not name. Not events: one that came due would run.
   */
  async #rehearse(programs: readonly ProgramDefinition[]): Promise<readonly ProgramDefinition[]> {
    const { facts } = this.#whole();
    const { scratch } = this.#target.names;
    await this.#connection.run(`USE ${quoteName(scratch)}`);
    const tried = programs.filter(({ kind }) => kind !== 'event');
    const { collation, database: from } = facts;
    await createPrograms({ connection: this.#connection, database: scratch, from, collation }, tried);
    for (const { kind, name } of tried)
      if (kind === 'trigger') await this.#connection.run(`DROP TRIGGER ${quotePath(scratch, name)}`);
    return programs;
  }

  #whole(): Schema {
    if (this.#schema) return this.#schema;
    throw new HoldfastError('FORMAT_INVALID', 'The snapshot lacks the definitions of its tables');
  }

  #factsOf(table: string): FactsTable {
    const facts = this.#whole().facts.tables.find(({ name }) => name === table);
    if (facts) return facts;
    throw new HoldfastError(
      'FORMAT_INVALID',
      `The snapshot has rows of table ${table}, but not its definition`,
    );
  }
}
