import { type ContentWriter, cancelled, HoldfastError } from '@holdfast/contracts';
import type { RowsDescription, RowsIndex } from '@holdfast/formats/rows';
import type pg from 'pg';
import { CopyLanes, type CopyTarget } from './copy-lanes.ts';
import { analyze, refreshMaterializedViews } from './finishing.ts';
import type { SchemaFacts } from './interim/schema-facts.ts';
import { createLargeObjects, fillLargeObjects } from './large-objects.ts';
import { type RestoreSettings, sessionSettings } from './options.ts';
import { findPgRestore, majorIn, type PgRestore, runPgRestore } from './pg-restore.ts';
import { checkPrerequisites, createMissingRoles } from './prerequisites.ts';
import { BatchBuffers, RowsLoader } from './rows-loader.ts';
import { type SequenceState, setSequences } from './sequences.ts';
import type { ServerAccess } from './server-access.ts';
import { targetError } from './server-errors.ts';
import type { SpooledArchive } from './spooled-archive.ts';
import { qualified, quotedList } from './sql-names.ts';
import type { TargetDatabase } from './target-database.ts';

/** For tables in passing; dropped before the schema's own end. */
const STAGING = 'holdfast_partial';
const PAGES = `${STAGING}.large_object_pages`;

interface LoadedObject {
  readonly name: string;
  readonly rows: Promise<number>;
  index: RowsIndex | null;
}

/** One database being restored: from the facts on, when there is something to connect to. */
export class RestoreRun {
  readonly #settings: RestoreSettings;
  readonly #access: ServerAccess;
  readonly #target: TargetDatabase;
  readonly #archive: SpooledArchive;
  readonly #program: PgRestore;
  readonly #facts: SchemaFacts;
  readonly #buffers = new BatchBuffers();
  readonly #loaded: LoadedObject[] = [];
  readonly #stop = new AbortController();
  #clients: pg.Client[] = [];
  #lanes = new CopyLanes([]);
  #sequences: readonly SequenceState[] = [];
  #pages = false;

  private constructor(
    at: { settings: RestoreSettings; access: ServerAccess; target: TargetDatabase; archive: SpooledArchive },
    facts: SchemaFacts,
    program: PgRestore,
  ) {
    this.#settings = at.settings;
    this.#access = at.access;
    this.#target = at.target;
    this.#archive = at.archive;
    this.#facts = facts;
    this.#program = program;
  }

  /** Checks what is needed, makes the database and all tables in it. */
  static async begin(
    at: { settings: RestoreSettings; access: ServerAccess; target: TargetDatabase; archive: SpooledArchive },
    facts: SchemaFacts,
    signal?: AbortSignal,
  ): Promise<RestoreRun> {
    const major = majorIn(at.archive.writtenBy);
    if (major === null)
      throw new HoldfastError('FORMAT_INVALID', 'The schema’s archive does not say what wrote it');
    const program = await findPgRestore(major, at.settings.programs);
    const missing = await checkPrerequisites(at.target.client, facts, at.settings);
    const run = new RestoreRun(at, facts, program);
    const made = run.#interruptible(signal, async () => {
      await createMissingRoles(at.target.client, missing);
      const { encoding, collation } = facts;
      await at.target.create({ encoding, collation: at.settings.locale ?? collation });
      await run.#pgRestore('pre-data', []);
      await run.#connect();
      await createLargeObjects(run.#clients[0]!, facts.largeObjects, at.settings.owner);
    });
    // The caller has no run to abort yet.
    await made.catch((error: unknown) => {
      run.abort();
      throw error;
    });
    return run;
  }

  async openRows(rows: RowsDescription): Promise<ContentWriter> {
    const target = tableTarget(rows);
    const loader = new RowsLoader(this.#lanes, this.#buffers, target, rows.columns.length);
    return this.#writer(loader, target);
  }

  async openLargeObjects(rows: RowsDescription): Promise<ContentWriter> {
    const client = this.#clients[0]!;
    const [loid, pageno, data] = quotedList(rows.columns.map(({ name }) => name)).split(', ');
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${STAGING}`);
    await client.query(`CREATE UNLOGGED TABLE ${PAGES} (${loid} oid, ${pageno} int8, ${data} bytea)`);
    this.#pages = true;
    const target: CopyTarget = {
      name: 'large objects',
      sql: `COPY ${PAGES} FROM STDIN (FORMAT binary)`,
      binary: true,
    };
    return this.#writer(new RowsLoader(this.#lanes, this.#buffers, target, rows.columns.length), target);
  }

  /** Of the object before. */
  addIndex(index: RowsIndex): void {
    const last = this.#loaded.at(-1);
    if (last !== undefined) last.index = index;
  }

  setSequences(states: readonly SequenceState[]): void {
    this.#sequences = states;
  }

  /** All that follows the rows, up to the database under its name. */
  async finish(signal?: AbortSignal): Promise<string[]> {
    await this.#interruptible(signal, async () => {
      await this.#lanes.drain();
      await this.#checkCounts();
      const [first] = this.#clients as [pg.Client];
      if (this.#pages) await fillLargeObjects(this.#clients, PAGES);
      await setSequences(first, this.#sequences);
      await first.query(`DROP SCHEMA IF EXISTS ${STAGING} CASCADE`);
      await this.#pgRestore('post-data', ['-j', String(this.#settings.jobs)]);
      await refreshMaterializedViews(first, this.#facts.materializedViews);
      await analyze(this.#clients);
      await Promise.all(this.#clients.splice(0).map((client) => client.end()));
    });
    return this.#target.swap();
  }

  /** Ends what runs. The database is the target's to drop. */
  abort(): void {
    this.#stop.abort();
    for (const client of this.#clients.splice(0)) destroy(client);
  }

  async #connect(): Promise<void> {
    const settings = sessionSettings(this.#settings.maintenanceMemory, this.#facts.encoding);
    for (let i = 0; i < this.#settings.jobs; i++)
      this.#clients.push(await this.#access.connect(this.#target.partialName, settings));
    this.#lanes = new CopyLanes(this.#clients);
  }

  #writer(loader: RowsLoader, target: CopyTarget): ContentWriter {
    return {
      write: (offset, bytes) => loader.write(offset, bytes),
      complete: async (size) => {
        const { rows } = await loader.complete(size);
        this.#loaded.push({ name: target.name, rows, index: null });
      },
    };
  }

  /** What the server took is what the source counted. */
  async #checkCounts(): Promise<void> {
    for (const { name, rows, index } of this.#loaded) {
      const count = await rows;
      if (index === null || index.rows === count) continue;
      throw new HoldfastError(
        'FORMAT_INVALID',
        `${name} had ${index.rows} rows at backup; ${count} were restored`,
      );
    }
  }

  async #pgRestore(section: string, more: readonly string[]): Promise<void> {
    const { owner, tablespaces, maintenanceMemory } = this.#settings;
    const args = [
      `--section=${section}`,
      '--exit-on-error',
      ...(owner === 'none' ? ['--no-owner', '--no-acl'] : []),
      ...(tablespaces === 'none' ? ['--no-tablespaces'] : []),
      ...more,
      `--dbname=${connectionString(this.#target.partialName)}`,
      this.#archive.path,
    ];
    const settings = { synchronous_commit: 'off', maintenance_work_mem: maintenanceMemory };
    const env = this.#access.environment(this.#target.partialName, settings);
    await runPgRestore(this.#program, args, env, this.#stop.signal);
  }

  /** A signal ends programs and connections: nothing else would make a running statement return. */
  async #interruptible(signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
    if (signal?.aborted) throw cancelled(signal);
    const stop = (): void => this.abort();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await work();
    } catch (error) {
      if (signal?.aborted) throw cancelled(signal);
      throw targetError(error, `Restoring to database ${this.#settings.database} failed`);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }
}

function tableTarget({ schema, table, columns }: RowsDescription): CopyTarget {
  const binary = columns.every(({ encoding }) => encoding === 'binary');
  const list = columns.length === 0 ? '' : ` (${quotedList(columns.map(({ name }) => name))})`;
  return {
    name: `table ${schema}.${table}`,
    sql: `COPY ${qualified(schema, table)}${list} FROM STDIN (FORMAT ${binary ? 'binary' : 'text'})`,
    binary,
  };
}

/** A name alone would be taken for a connection string if it looks like one. */
const connectionString = (database: string): string => `dbname='${database.replace(/[\\']/g, '\\$&')}'`;

const destroy = (client: pg.Client): void => {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
};
