import { type ContentWriter, cancelled, HoldfastError } from '@holdfast/contracts';
import type { RowsDescription, RowsIndex } from '@holdfast/formats/rows';
import type pg from 'pg';
import type { SchemaFacts, SequenceFact, TableFact } from '../schema-facts.ts';
import { type ArchiveChoice, tableKey } from './archive-choice.ts';
import { CopyLanes, type CopyTarget } from './copy-lanes.ts';
import { copyTarget } from './copy-target.ts';
import { rowsThatMove } from './enum-partitions.ts';
import { analyze, refreshMaterializedViews } from './finishing.ts';
import { createLargeObjects, fillLargeObjects } from './large-objects.ts';
import { leaveOut } from './left-out-columns.ts';
import { type RestoreSettings, sessionSettings } from './options.ts';
import { availableExtensions, checkPrerequisites, createMissingRoles } from './prerequisites.ts';
import { BatchBuffers, RowsLoader } from './rows-loader.ts';
import { SchemaRestore } from './schema-restore.ts';
import { setSequences } from './sequences.ts';
import { destroy, type ServerAccess } from './server-access.ts';
import { targetError } from './server-errors.ts';
import type { SpooledArchive } from './spooled-archive.ts';
import { qualified } from './sql-names.ts';
import { Staging } from './staging.ts';
import type { TargetDatabase } from './target-database.ts';

export interface RestorePlace {
  readonly settings: RestoreSettings;
  readonly access: ServerAccess;
  readonly target: TargetDatabase;
  readonly archive: SpooledArchive;
}

interface LoadedObject {
  readonly name: string;
  readonly rows: Promise<number>;
  index: RowsIndex | null;
}

/** One database being restored: from the facts on, when there is something to connect to. */
export class RestoreRun {
  readonly #place: RestorePlace;
  readonly #facts: SchemaFacts;
  readonly #schema: SchemaRestore;
  readonly #buffers = new BatchBuffers();
  readonly #loaded: LoadedObject[] = [];
  readonly #notes: string[] = [];
  readonly #stop = new AbortController();
  readonly #clients: pg.Client[] = [];
  #choice: ArchiveChoice | null = null;
  #lanes = new CopyLanes([]);
  #control!: pg.Client;
  #staging!: Staging;
  #moving: ReadonlyMap<string, string> = new Map();
  #defaults: (() => Promise<void>)[] = [];
  #sequences: readonly SequenceFact[] = [];
  #pages: string | null = null;
  /** Whether the object before was loaded, and not passed over. */
  #last: LoadedObject | null = null;

  private constructor(place: RestorePlace, facts: SchemaFacts, schema: SchemaRestore) {
    this.#place = place;
    this.#facts = facts;
    this.#schema = schema;
  }

  /** Checks what is needed, makes the database and all tables in it. */
  static async begin(place: RestorePlace, facts: SchemaFacts, signal?: AbortSignal): Promise<RestoreRun> {
    place.settings.selection.check(facts);
    const schema = await SchemaRestore.of(place.settings, place.access, place.archive);
    const run = new RestoreRun(place, facts, schema);
    try {
      await run.#interruptible(signal, () => run.#begin());
      return run;
    } catch (error) {
      // The caller has no run to abort yet.
      run.abort();
      throw error;
    }
  }

  /** Null for rows that were not chosen. */
  async openRows(rows: RowsDescription): Promise<ContentWriter | null> {
    this.#last = null;
    const table = this.#wanted(rows);
    if (table === null) return null;
    if (this.#place.settings.selection.families(table).length === 0)
      return this.#writer(rows, this.#direct(rows));
    const { target, loaded } = await this.#staging.open(rows);
    return this.#writer(rows, target, loaded);
  }

  async openLargeObjects(rows: RowsDescription): Promise<ContentWriter | null> {
    this.#last = null;
    if (this.#choice !== null) return null;
    this.#pages = await this.#staging.createPages();
    return this.#writer(rows, { ...copyTarget(rows, this.#pages), name: 'large objects' });
  }

  /** Of the object before. */
  addIndex(index: RowsIndex): void {
    if (this.#last !== null) this.#last.index = index;
  }

  setSequences(states: readonly SequenceFact[]): void {
    this.#sequences = states;
  }

  /** All that follows the rows, up to the database under its name. Gives what people should know. */
  async finish(signal?: AbortSignal): Promise<string[]> {
    await this.#interruptible(signal, () => this.#finish());
    return [...this.#notes, ...(await this.#place.target.swap())];
  }

  /** Ends what runs. The database is the target's to drop. */
  abort(): void {
    this.#stop.abort();
    for (const client of this.#clients.splice(0)) destroy(client);
  }

  async #begin(): Promise<void> {
    const { settings, target } = this.#place;
    const { encoding, collation } = this.#facts;
    if (!settings.selection.isWhole) {
      const tables = settings.selection.chosenTables(this.#facts);
      this.#choice = await this.#schema.restrictTo(
        tables,
        this.#facts,
        await availableExtensions(target.client),
      );
    }
    const missing = await checkPrerequisites(target.client, this.#needed(), settings);
    await createMissingRoles(target.client, missing);
    await target.create({ encoding, collation: settings.locale ?? collation });
    await this.#schema.run('pre-data', target.partialName, this.#stop.signal);
    await this.#connect();
    await this.#prepareTables();
  }

  /** Chosen tables need the extensions that they depend on. Of roles, no list says who needs which. */
  #needed(): SchemaFacts {
    const choice = this.#choice;
    if (choice === null) return this.#facts;
    return {
      ...this.#facts,
      extensions: this.#facts.extensions.filter(({ name }) => choice.extensions.has(name)),
    };
  }

  async #prepareTables(): Promise<void> {
    const { settings } = this.#place;
    this.#moving = await rowsThatMove(this.#control);
    for (const table of this.#facts.tables) {
      const wanted = this.#choice === null || this.#choice.tables.has(tableKey(table.schema, table.name));
      const restored = settings.selection.families(table);
      const families = Object.keys(table.families).filter((family) => !restored.includes(family));
      if (!wanted || families.length === 0) continue;
      const { notes, restore } = await leaveOut(this.#control, table, families);
      this.#notes.push(...notes);
      this.#defaults.push(restore);
    }
    if (this.#choice === null)
      await createLargeObjects(this.#control, this.#facts.largeObjects, settings.owner);
  }

  async #connect(): Promise<void> {
    const { settings, access, target } = this.#place;
    const session = sessionSettings(settings.maintenanceMemory, this.#facts.encoding);
    // Operators of extensions' types are found where these are; all other names are written in full.
    const path = this.#facts.extensions.map(({ schema }) => `"${schema.replaceAll('"', '""')}"`).join(',');
    this.#control = await access.connect(target.partialName, { ...session, search_path: path });
    this.#clients.push(this.#control);
    for (let i = 0; i < settings.jobs; i++)
      this.#clients.push(await access.connect(target.partialName, session));
    this.#lanes = new CopyLanes(this.#clients.slice(1));
    this.#staging = new Staging(this.#control);
  }

  #wanted(rows: RowsDescription): TableFact | null {
    const { selection } = this.#place.settings;
    const { schema, table: name, family } = rows;
    const facts = this.#facts.tables.find((table) => table.schema === schema && table.name === name);
    if (facts === undefined)
      throw new HoldfastError('FORMAT_INVALID', `There are rows of ${schema}.${name}, but no such table`);
    const named = this.#choice === null ? facts : this.#choice.tables.get(tableKey(schema, name));
    if (named === undefined || !selection.wantsWindow(rows, named)) return null;
    return family === null || selection.families(facts).includes(family) ? facts : null;
  }

  #direct(rows: RowsDescription): CopyTarget {
    const into = this.#moving.get(tableKey(rows.schema, rows.table)) ?? qualified(rows.schema, rows.table);
    return copyTarget(rows, into);
  }

  #writer(rows: RowsDescription, target: CopyTarget, loaded?: (count: number) => void): ContentWriter {
    const loader = new RowsLoader(this.#lanes, this.#buffers, target, rows.columns.length);
    return {
      write: (offset, bytes) => loader.write(offset, bytes),
      complete: async (size) => {
        const { rows: counted } = await loader.complete(size);
        this.#last = { name: target.name, rows: counted, index: null };
        this.#loaded.push(this.#last);
        if (loaded !== undefined) void counted.then(loaded);
      },
    };
  }

  async #finish(): Promise<void> {
    const { settings, target } = this.#place;
    await this.#lanes.drain();
    await this.#checkCounts();
    await this.#staging.join();
    if (this.#pages !== null) await fillLargeObjects(this.#clients, this.#pages);
    for (const restore of this.#defaults) await restore();
    await setSequences(this.#control, this.#sequences);
    await this.#staging.drop();
    await this.#schema.run('post-data', target.partialName, this.#stop.signal);
    if (settings.selection.isWhole)
      await refreshMaterializedViews(this.#control, this.#facts.materializedViews);
    await analyze(this.#clients);
    await Promise.all(this.#clients.splice(0).map((client) => client.end()));
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

  /** A signal ends programs and connections: nothing else would make a running statement return. */
  async #interruptible(signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
    if (signal?.aborted) throw cancelled(signal);
    const stop = (): void => this.abort();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await work();
    } catch (error) {
      if (signal?.aborted) throw cancelled(signal);
      throw targetError(error, `Restoring to database ${this.#place.settings.database} failed`);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }
}
