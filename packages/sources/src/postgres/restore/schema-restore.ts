import { writeFile } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/contracts';
import type { SchemaFacts, TableFact } from '../schema-facts.ts';
import { type ArchiveChoice, chooseEntries } from './archive-choice.ts';
import { parseContents } from './archive-contents.ts';
import type { RestoreSettings } from './options.ts';
import { findPgRestore, majorIn, type PgRestore, runPgRestore } from './pg-restore.ts';
import type { ServerAccess } from './server-access.ts';
import type { SpooledArchive } from './spooled-archive.ts';

/** Everything but rows, by `pg_restore` from the snapshot's archive: all of it, or what some tables need. */
export class SchemaRestore {
  readonly #settings: RestoreSettings;
  readonly #access: ServerAccess;
  readonly #archive: SpooledArchive;
  readonly #program: PgRestore;
  #list: string | null = null;

  private constructor(
    settings: RestoreSettings,
    access: ServerAccess,
    archive: SpooledArchive,
    program: PgRestore,
  ) {
    this.#settings = settings;
    this.#access = access;
    this.#archive = archive;
    this.#program = program;
  }

  /** FORMAT_INVALID, TARGET_UNWRITABLE. */
  static async of(
    settings: RestoreSettings,
    access: ServerAccess,
    archive: SpooledArchive,
  ): Promise<SchemaRestore> {
    const major = majorIn(archive.writtenBy);
    if (major === null)
      throw new HoldfastError('FORMAT_INVALID', 'The schema’s archive does not say what wrote it');
    return new SchemaRestore(settings, access, archive, await findPgRestore(major, settings.programs));
  }

  /** From here on only those tables and what belongs to them; `available` are the server's extensions. */
  async restrictTo(
    tables: readonly TableFact[],
    facts: SchemaFacts,
    available: ReadonlySet<string>,
  ): Promise<ArchiveChoice> {
    const listing = await runPgRestore(
      this.#program,
      ['--list', '--verbose', this.#archive.path],
      process.env,
    );
    const choice = chooseEntries(parseContents(listing), facts, tables, available);
    this.#list = `${this.#archive.path}.list`;
    await writeFile(this.#list, choice.ids.map((id) => `${id};\n`).join(''), { mode: 0o600 });
    return choice;
  }

  async run(section: 'pre-data' | 'post-data', database: string, signal: AbortSignal): Promise<void> {
    const { owner, tablespaces, jobs, maintenanceMemory } = this.#settings;
    const args = [
      `--section=${section}`,
      '--exit-on-error',
      ...(owner === 'none' ? ['--no-owner', '--no-acl'] : []),
      ...(tablespaces === 'none' ? ['--no-tablespaces'] : []),
      ...(this.#list === null ? [] : [`--use-list=${this.#list}`]),
      ...(section === 'post-data' ? [`--jobs=${jobs}`] : []),
      `--dbname=${connectionString(database)}`,
      this.#archive.path,
    ];
    const session = { synchronous_commit: 'off', maintenance_work_mem: maintenanceMemory };
    const env = await this.#access.environment(database, session);
    await runPgRestore(this.#program, args, env, signal);
  }
}

/** A name alone would be taken for a connection string if it looks like one. */
const connectionString = (database: string): string => `dbname='${database.replace(/[\\']/g, '\\$&')}'`;
