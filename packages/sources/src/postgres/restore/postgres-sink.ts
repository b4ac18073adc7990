import {
  type Attributes,
  type ContentWriter,
  comparePaths,
  displayPath,
  HoldfastError,
  isSafePath,
  type ObjectHeader,
  type ObjectPath,
  type Sink,
  throwIfAborted,
} from '@holdfast/contracts';
import { decodeRowsIndex, type RowsDescription } from '@holdfast/formats/rows';
import { parseFacts, parseSequences } from '../schema-facts.ts';
import { type PostgresSinkOptions, type RestoreSettings, restoreSettings } from './options.ts';
import { RestoreRun } from './restore-run.ts';
import { descriptionOf } from './rows-header.ts';
import { ServerAccess } from './server-access.ts';
import { smallContent } from './small-content.ts';
import { SpooledArchive } from './spooled-archive.ts';
import { TargetDatabase } from './target-database.ts';

export interface PostgresSink extends Sink {
  /** What people should know of a restore that went well, after `finish`. */
  readonly notes: readonly string[];
}

/**
 * Restores a snapshot of kind `postgres` into a database. It is made beside the target, under a name ending in
 * `.holdfast-partial`, and renamed at the end. USAGE for options that make no sense.
 */
export function postgresSink(options: PostgresSinkOptions): PostgresSink {
  return new DatabaseSink(restoreSettings(options));
}

type Header = ObjectHeader & { size: number | null };

class DatabaseSink implements PostgresSink {
  readonly order = 'ascending';
  notes: readonly string[] = [];
  readonly #settings: RestoreSettings;
  #access: ServerAccess | null = null;
  #target: TargetDatabase | null = null;
  #archive: SpooledArchive | null = null;
  #run: RestoreRun | null = null;
  #last: ObjectPath | null = null;
  #ended = false;

  constructor(settings: RestoreSettings) {
    this.#settings = settings;
  }

  async begin(
    _snapshot: { attributes: Attributes },
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<void> {
    throwIfAborted(signal);
    this.#access = await ServerAccess.of(this.#settings.server);
    this.#target = await TargetDatabase.check(this.#access, this.#settings);
  }

  async create(object: Header, { signal }: { signal?: AbortSignal } = {}): Promise<ContentWriter | null> {
    throwIfAborted(signal);
    this.#checkPath(object.path);
    const path = displayPath(object.path);
    switch (object.kind) {
      case 'schema':
        if (path === '1-schema/archive') return this.#openArchive(object);
        if (path === '1-schema/facts') return smallContent(path, (content) => this.#begin(content, signal));
        break;
      case 'rows':
        return this.#openRows(path, descriptionOf(object));
      case 'rows-index':
        return smallContent(path, (content) => this.#started(path).addIndex(decodeRowsIndex(content)));
      case 'sequences':
        return smallContent(path, (content) => this.#started(path).setSequences(parseSequences(content)));
    }
    throw new HoldfastError(
      'FORMAT_INVALID',
      `${path} is nothing that a PostgreSQL database is restored from`,
    );
  }

  async finish({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    throwIfAborted(signal);
    this.notes = await this.#started('The snapshot’s end').finish(signal);
    this.#ended = true;
    await this.#archive?.remove();
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#run?.abort();
    await this.#archive?.remove();
    await this.#target?.discard();
  }

  async #openArchive({ attributes }: Header): Promise<ContentWriter> {
    const writtenBy = attributes.pgDump;
    if (typeof writtenBy !== 'string')
      throw new HoldfastError('FORMAT_INVALID', 'The schema’s archive does not say which pg_dump wrote it');
    this.#archive = await SpooledArchive.create(writtenBy);
    return this.#archive;
  }

  async #begin(facts: Buffer, signal: AbortSignal | undefined): Promise<void> {
    const [access, target, archive] = [this.#access, this.#target, this.#archive];
    if (archive === null || access === null || target === null)
      throw new HoldfastError('FORMAT_INVALID', 'The snapshot has no schema before its facts');
    const at = { settings: this.#settings, access, target, archive };
    this.#run = await RestoreRun.begin(at, parseFacts(facts), signal);
  }

  async #openRows(path: string, rows: RowsDescription): Promise<ContentWriter> {
    const run = this.#started(path);
    const isLarge = rows.schema === 'pg_catalog' && rows.table === 'pg_largeobject';
    return (await (isLarge ? run.openLargeObjects(rows) : run.openRows(rows))) ?? IGNORED;
  }

  #started(what: string): RestoreRun {
    if (this.#run !== null) return this.#run;
    throw new HoldfastError('FORMAT_INVALID', `${what} comes before the schema, or the snapshot has none`);
  }

  #checkPath(path: ObjectPath): void {
    if (!isSafePath(path)) throw new HoldfastError('FORMAT_INVALID', `Unsafe path ${displayPath(path)}`);
    if (this.#last !== null && comparePaths(this.#last, path) >= 0)
      throw new HoldfastError('FORMAT_INVALID', `${displayPath(path)} is out of order`);
    this.#last = Uint8Array.from(path);
  }
}

/** Takes what was not chosen. */
const IGNORED: ContentWriter = { write: async () => {}, complete: async () => {} };
