import { mkdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type ContentWriter,
  displayPath,
  isSafePath,
  type ObjectHeader,
  pathFromText,
} from '@holdfast/contracts';
import { invalid } from '../../../file/attributes.ts';
import { writeError } from '../../../file/system-errors.ts';
import { EntryWriter } from '../../../tree/entry-writer.ts';
import { TreeTarget } from '../../../tree/tree-target.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface BaseEntriesOptions {
  /** The data directory in the making. */
  readonly directory: string;
  readonly overwrite: boolean;
  readonly owner: Owner | null;
  /** Where a tablespace goes. */
  readonly placeOf: (oid: string, location: string) => string;
}

export interface PlacedTablespace {
  readonly oid: string;
  readonly path: string;
  readonly target: TreeTarget;
  readonly entries: EntryWriter;
}

type Header = ObjectHeader & { readonly size: number | null };

const DATA = 'data/';
const TABLESPACE = /^data\/pg_tblspc\/(\d{1,10})$/;

/** Puts a base snapshot's objects where they belong: the data directory, and one directory for each tablespace. */
export class BaseEntries {
  readonly tablespaces: PlacedTablespace[] = [];
  readonly #options: BaseEntriesOptions;
  readonly #data: EntryWriter;
  readonly #label: EntryWriter;

  constructor(options: BaseEntriesOptions) {
    this.#options = options;
    this.#data = new EntryWriter(Buffer.from(options.directory));
    this.#label = new EntryWriter(Buffer.from(options.directory));
  }

  get openWriters(): number {
    return this.#all().reduce((sum, entries) => sum + entries.openWriters, 0);
  }

  /** FORMAT_INVALID, ALREADY_EXISTS, TARGET_UNWRITABLE, DISK_FULL. */
  async create(object: Header): Promise<ContentWriter | null> {
    if (!isSafePath(object.path)) throw invalid(object, 'an unsafe path');
    const path = displayPath(object.path);
    if (path === 'label' && object.kind === 'label')
      return this.#put(this.#label, object, 'backup_label', 'file');
    if (path === 'data' && object.kind === 'directory') return null;
    if (!path.startsWith(DATA)) throw invalid(object, 'it belongs to no base snapshot');
    if (object.kind === 'tablespace') return this.#tablespace(object, path);
    if (object.kind !== 'datafile' && object.kind !== 'directory')
      throw invalid(object, `a ${object.kind} cannot be restored to a data directory`);
    const kind = object.kind === 'datafile' ? 'file' : 'directory';
    const within = this.tablespaces.find(({ oid }) => path.startsWith(`${DATA}pg_tblspc/${oid}/`));
    if (within === undefined) return this.#put(this.#data, object, path.slice(DATA.length), kind);
    return this.#put(within.entries, object, path.slice(`${DATA}pg_tblspc/${within.oid}/`.length), kind);
  }

  finish(): void {
    for (const entries of this.#all()) entries.applyDirectoryMetadata();
  }

  async discard(): Promise<void> {
    await Promise.all(this.#all().map((entries) => entries.discard()));
    await Promise.all(this.tablespaces.map(({ target }) => target.discard()));
    for (const { path } of this.tablespaces) removeIfEmpty(dirname(path));
  }

  async #tablespace(object: Header, path: string): Promise<null> {
    const oid = TABLESPACE.exec(path)?.[1];
    const { location } = object.attributes;
    if (
      oid === undefined ||
      typeof location !== 'string' ||
      this.tablespaces.some((other) => other.oid === oid)
    )
      throw invalid(object, 'it is no tablespace');
    const place = this.#options.placeOf(oid, location);
    makeParent(place);
    const target = await TreeTarget.prepare(place, this.#options.overwrite);
    this.tablespaces.push({
      oid,
      path: place,
      target,
      entries: new EntryWriter(Buffer.from(target.partial)),
    });
    return null;
  }

  #put(entries: EntryWriter, object: Header, path: string, kind: 'file' | 'directory'): ContentWriter | null {
    const attributes = { ...this.#options.owner, mode: kind === 'file' ? 0o600 : 0o700 };
    return entries.create({ path: pathFromText(path), kind, attributes, size: object.size });
  }

  #all(): EntryWriter[] {
    return [this.#data, this.#label, ...this.tablespaces.map(({ entries }) => entries)];
  }
}

export const besideTarget =
  (target: string) =>
  (oid: string): string =>
    join(`${target}-tablespaces`, oid);

function makeParent(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  } catch (error) {
    throw writeError(error, path);
  }
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Others use it.
  }
}
