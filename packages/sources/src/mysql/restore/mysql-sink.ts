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
import { decodeRowsDescription, decodeRowsIndex, type RowsDescription } from '@holdfast/formats/rows';
import type { MysqlConnectionOptions } from '../connection-options.ts';
import { type Definitions, parseCounters, parseDefinitions, parseFacts } from '../schema-facts.ts';
import { RestoreRun } from './restore-run.ts';
import { TargetDatabase } from './target-database.ts';

export interface MysqlSinkOptions extends MysqlConnectionOptions {
  /** Replaces what is in the database. Default false: that must be empty, or not there. */
  readonly overwrite?: boolean;
  /** Families to leave out, as `TABLE.FAMILY`: their columns are null. */
  readonly without?: readonly string[];
  /**
   * Families to put back, as `TABLE.FAMILY`, into the database that was restored without them; all else is passed over.
   * Fills rows whose family is null altogether, and with `overwrite` all that are there.
   */
  readonly putBack?: readonly string[];
  /** Most connections that load at once. Default 2. */
  readonly connections?: number;
  /** False: events are left out, for a copy that must do nothing by itself. Default true. */
  readonly events?: boolean;
  /** False: rows go as statements, though the server would take files. Default: as the server says. */
  readonly localInfile?: boolean;
}

export interface MysqlSink extends Sink {
  /** What people should know of a restore that went well, after `finish`. */
  readonly notes: readonly string[];
}

type Header = ObjectHeader & { size: number | null };
type Options = { signal?: AbortSignal };

const SMALL_BYTES = 512 * 1024 * 1024;
const ROWS = /^2-rows\/[^/]+\/[^/]+\/(main|family-[^/]+)\/[^/]+\/(rows|rows-index)$/;

/** Restores a snapshot of kind `mysql` into one database: docs/specs/sources.md. */
export function mysqlSink(options: MysqlSinkOptions): MysqlSink {
  return new DatabaseSink(options);
}

class DatabaseSink implements MysqlSink {
  readonly order = 'ascending';
  readonly #options: MysqlSinkOptions;
  #target: TargetDatabase | null = null;
  #run: RestoreRun | null = null;
  #last: ObjectPath | null = null;
  #finished = false;
  #definitions: Definitions | null = null;

  constructor(options: MysqlSinkOptions) {
    this.#options = options;
  }

  get notes(): readonly string[] {
    return this.#run?.notes ?? [];
  }

  /** Tests cut it off. */
  get connectionForTests(): unknown {
    return this.#target?.connection;
  }

  async begin(_snapshot: { attributes: Attributes }, { signal }: Options = {}): Promise<void> {
    throwIfAborted(signal);
    const { overwrite = false, putBack } = this.#options;
    this.#target = await TargetDatabase.open(this.#options, {
      overwrite: overwrite || putBack !== undefined,
      signal,
    });
    try {
      await this.#target.prepare();
      this.#run = await RestoreRun.begin(this.#target, this.#options);
    } catch (error) {
      this.#target.connection.destroy();
      this.#target = null;
      throw error;
    }
  }

  async create(object: Header, { signal }: Options = {}): Promise<ContentWriter | null> {
    throwIfAborted(signal);
    this.#checkPath(object.path);
    const path = displayPath(object.path);
    const run = this.#begun();
    if (object.size === null) throw invalid(path, 'has no content');
    if (path === '1-schema/definitions' && object.kind === 'schema')
      return this.#small(path, object.size, (bytes) => {
        this.#definitions = parseDefinitions(bytes);
      });
    if (path === '1-schema/facts' && object.kind === 'schema')
      return this.#small(path, object.size, async (bytes) => {
        if (!this.#definitions) throw invalid(path, 'comes without the definitions before it');
        await run.createTables(this.#definitions, parseFacts(bytes));
      });
    if (path === '4-sequences' && object.kind === 'sequences')
      return this.#small(path, object.size, (bytes) => run.setCounters(parseCounters(bytes)));
    const match = ROWS.exec(path);
    if (match && match[2] === object.kind) return this.#rows(object, path, run, signal);
    throw invalid(path, `of kind ${object.kind} does not belong into a snapshot of kind mysql`);
  }

  async finish({ signal }: Options = {}): Promise<void> {
    const run = this.#begun();
    throwIfAborted(signal);
    await run.finish(signal);
    this.#finished = true;
    await run.close();
    await this.#target?.close();
  }

  async abort(): Promise<void> {
    if (this.#finished || !this.#target) return;
    const target = this.#target;
    this.#target = null;
    this.#run?.destroy();
    try {
      // What another restore has made is not ours to remove.
      await target.journal.checkOurs();
      await target.mend();
    } catch {
      // The next restore to this target removes what this one could not.
    }
    await target.close();
  }

  #begun(): RestoreRun {
    if (!this.#run || !this.#target)
      throw new HoldfastError('INTERNAL', 'The sink has not begun, or has ended');
    return this.#run;
  }

  #checkPath(path: ObjectPath): void {
    if (!isSafePath(path)) throw invalid(displayPath(path), 'is not a safe path');
    if (this.#last !== null && comparePaths(this.#last, path) >= 0)
      throw invalid(displayPath(path), 'is out of order');
    this.#last = path;
  }

  #rows(
    object: Header,
    path: string,
    run: RestoreRun,
    signal?: AbortSignal,
  ): Promise<ContentWriter> | ContentWriter {
    if (object.kind === 'rows-index')
      return this.#small(path, object.size!, (bytes) => run.checkCount(decodeRowsIndex(bytes).rows, path));
    return run.openRows(descriptionOf(object, path), signal);
  }

  /** Content that is understood as a whole. */
  #small(path: string, size: number, take: (bytes: Uint8Array) => void | Promise<void>): ContentWriter {
    if (size > SMALL_BYTES) throw invalid(path, `claims ${size} bytes`);
    const content = Buffer.alloc(size);
    return {
      write: async (offset, bytes) => {
        if (offset + bytes.length > size) throw invalid(path, 'is longer than it should be');
        content.set(bytes, offset);
      },
      complete: async () => take(content),
    };
  }
}

function descriptionOf({ attributes }: Header, path: string): RowsDescription {
  if (!(attributes.rows instanceof Uint8Array)) throw invalid(path, 'has no description of its rows');
  const description = decodeRowsDescription(attributes.rows);
  if (description.dialect !== 'mysql') throw invalid(path, `has rows of ${description.dialect}`);
  return description;
}

const invalid = (path: string, problem: string): HoldfastError =>
  new HoldfastError('FORMAT_INVALID', `Object ${JSON.stringify(path)} ${problem}`);
