import {
  type Attributes,
  type AttributeValue,
  type ContentReader,
  type Cut,
  HoldfastError,
  pathFromText,
  type SourceObject,
  type SourceProblem,
  type SourceSnapshot,
  throwIfAborted,
} from '@holdfast/contracts';
import { partsReader } from '../wal/wal-source.ts';
import type { BackupEnd, BackupSession, BackupStart, ClusterFacts } from './backup-session.ts';
import { type BaseInfo, baseAttributes } from './base-info.ts';
import { type ClusterEntry, ClusterFiles } from './cluster-files.ts';
import { isEmptied, isLeftOut, relationSegment } from './cluster-names.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { badPages, clusterFileReader, type PageRules } from './relation-reader.ts';

export interface BaseSnapshotOptions {
  readonly session: BackupSession;
  readonly pool: ConnectionPool;
  readonly facts: ClusterFacts;
  readonly start: BackupStart;
  readonly onEnd: (info: BaseInfo) => void;
}

/** Files up to this size are read when they are listed, many at once. */
const SMALL_BYTES = 64 * 1024;
const BATCH_FILES = 128;
const BATCH_BYTES = 4 * 2 ** 20;
/** Prepared transactions are read whole at once whatever their size: zeros in place of one would be no transaction. */
const MAX_TWOPHASE = 64 * 2 ** 20;
const CONTROL = 'global/pg_control';

type Listed = ClusterEntry & { readonly path: string };

/** A server in backup mode, and its files in the order of their names. The last object, `label`, ends the backup. */
export class BaseSnapshot implements SourceSnapshot {
  readonly attributes: Attributes;
  readonly estimate: { readonly objects: null; readonly bytes: number };
  readonly problems: SourceProblem[] = [];
  readonly #options: BaseSnapshotOptions;
  readonly #files: ClusterFiles;
  readonly #open = new Set<symbol>();
  #whenRead: (() => void) | null = null;
  #ended = false;
  #iterated = false;

  constructor(options: BaseSnapshotOptions) {
    this.#options = options;
    this.#files = new ClusterFiles(options.pool);
    const { facts, start } = options;
    this.attributes = {
      version: 1,
      systemId: facts.systemId.toString(),
      timeline: start.timeline,
      segmentBytes: facts.segmentBytes,
      serverVersion: facts.version,
      settings: JSON.stringify(facts.settings),
    };
    this.estimate = { objects: null, bytes: facts.bytes };
  }

  async *objects({ signal }: { signal?: AbortSignal } = {}): AsyncIterable<SourceObject> {
    throwIfAborted(signal);
    if (this.#iterated) throw new HoldfastError('INTERNAL', 'A snapshot is listed once');
    this.#iterated = true;
    yield directory('data');
    yield* this.#directory('', signal);
    await this.#allRead(signal);
    yield this.#label(await this.#end());
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#whenRead?.();
    this.#options.pool.close();
    this.#options.session.close();
  }

  async *#directory(path: string, signal?: AbortSignal): AsyncIterable<SourceObject> {
    const entries = await this.#files.list(path);
    const names = new Set(entries.map(({ name }) => name));
    const kept = entries
      .filter(({ name }) => !isLeftOut(path, name, names))
      .map((entry): Listed => ({ ...entry, path: path === '' ? entry.name : `${path}/${entry.name}` }));
    const batch = new Batch(this.#files, kept, (entry) => isSmall(path, entry));
    for (const entry of kept) {
      throwIfAborted(signal);
      if (entry.isDirectory) {
        yield this.#directoryObject(path, entry);
        if (!isEmptied(entry.path)) yield* this.#directory(entry.path, signal);
      } else {
        const object = await this.#file(path, entry, batch);
        if (object) yield object;
      }
    }
  }

  #directoryObject(parent: string, { path, name }: Listed): SourceObject {
    const location = parent === 'pg_tblspc' ? this.#options.facts.tablespaces.get(name) : undefined;
    if (location === undefined) return directory(`data/${path}`);
    return { ...directory(`data/${path}`), kind: 'tablespace', attributes: { location } };
  }

  /** Null for a file that is gone, which the WAL knows. */
  async #file(parent: string, entry: Listed, batch: Batch): Promise<SourceObject | null> {
    if (entry.path === CONTROL)
      return datafile(entry.path, await this.#files.readControl(), { by: 'content' });
    const segment = relationSegment(parent, entry.name);
    const pages = segment === null ? null : this.#pageRules(entry.path, segment);
    if (batch.holds(entry)) {
      const content = await this.#smallContent(entry, batch, pages);
      return content && datafile(entry.path, content, this.#cutOf(segment, content.length));
    }
    const read = (offset: number, length: number): Promise<Buffer | null> =>
      this.#files.read(entry.path, offset, length);
    return {
      ...datafile(entry.path, Buffer.alloc(0), this.#cutOf(segment, entry.size)),
      size: entry.size,
      open: async () =>
        this.#opened(entry, (onEnd) => clusterFileReader({ size: entry.size, read, pages, onEnd })),
    };
  }

  async #smallContent(entry: Listed, batch: Batch, pages: PageRules | null): Promise<Buffer | null> {
    const content = await batch.content(entry);
    if (content === null || pages === null || badPages(content, 0, pages).length === 0) return content;
    const again = await this.#files.read(entry.path, 0, entry.size);
    for (const block of again ? badPages(again, 0, pages) : []) pages.onBadPage(block);
    return again;
  }

  #opened(entry: Listed, make: (onEnd: () => void) => ContentReader): ContentReader {
    if (this.#ended)
      throw new HoldfastError('SOURCE_CHANGED', `${entry.path} was to be read after the backup had ended`);
    const token = Symbol(entry.path);
    this.#open.add(token);
    return make(() => {
      this.#open.delete(token);
      if (this.#open.size === 0) this.#whenRead?.();
    });
  }

  #cutOf(segment: number | null, size: number): Cut {
    const { blockBytes } = this.#options.facts;
    return segment !== null && size % blockBytes === 0 ? { by: 'blocks', blockBytes } : { by: 'content' };
  }

  #pageRules(path: string, segment: number): PageRules | null {
    const { facts, start } = this.#options;
    if (!facts.checksums) return null;
    const onBadPage = (block: number): void => {
      const message = `page ${block} does not have the checksum that it should have: the server's disk or memory damaged it`;
      this.problems.push({ path: pathFromText(`data/${path}`), message });
    };
    return { blockBytes: facts.blockBytes, segment, startLsn: start.startLsn, onBadPage };
  }

  /** What is being read must be read in backup mode. */
  async #allRead(signal?: AbortSignal): Promise<void> {
    while (this.#open.size > 0 && !this.#ended) {
      throwIfAborted(signal);
      await new Promise<void>((resolve) => {
        this.#whenRead = resolve;
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  async #end(): Promise<BackupEnd> {
    if (this.#ended) throw new HoldfastError('SOURCE_CHANGED', 'The snapshot was closed');
    this.#ended = true;
    return this.#options.session.stop();
  }

  #label(end: BackupEnd): SourceObject {
    const { facts, start, onEnd } = this.#options;
    const { systemId, segmentBytes, version: serverVersion } = facts;
    const { label, ...stop } = end;
    const info: BaseInfo = { systemId, segmentBytes, serverVersion, ...start, ...stop };
    onEnd(info);
    return {
      ...datafile('', label, { by: 'content' }),
      path: pathFromText('label'),
      kind: 'label',
      attributes: baseAttributes(info),
    };
  }
}

function isSmall(parent: string, { path, size }: Listed): boolean {
  if (path === CONTROL) return false;
  return size <= (parent === 'pg_twophase' ? MAX_TWOPHASE : SMALL_BYTES);
}

/** The small files of one directory, read ahead in the order in which they are asked for. */
class Batch {
  readonly #files: ClusterFiles;
  readonly #pending: Listed[];
  readonly #small: ReadonlySet<Listed>;
  #contents = new Map<Listed, Buffer | null>();

  constructor(files: ClusterFiles, entries: readonly Listed[], isSmall: (entry: Listed) => boolean) {
    this.#files = files;
    this.#pending = entries.filter((entry) => !entry.isDirectory && isSmall(entry));
    this.#small = new Set(this.#pending);
  }

  holds(entry: Listed): boolean {
    return this.#small.has(entry);
  }

  async content(entry: Listed): Promise<Buffer | null> {
    if (!this.#contents.has(entry)) await this.#fetch();
    const content = this.#contents.get(entry) ?? null;
    this.#contents.delete(entry);
    return content;
  }

  async #fetch(): Promise<void> {
    let bytes = 0;
    let count = 0;
    while (count < this.#pending.length && count < BATCH_FILES && (count === 0 || bytes < BATCH_BYTES))
      bytes += this.#pending[count++]!.size;
    const batch = this.#pending.splice(0, count);
    const contents = await this.#files.readMany(batch.map(({ path, size }) => ({ path, size })));
    this.#contents = new Map(batch.map((entry, i) => [entry, contents[i] ?? null]));
  }
}

const directory = (path: string): SourceObject => ({
  path: pathFromText(path),
  kind: 'directory',
  attributes: {},
  size: null,
  cut: null,
  fingerprint: null,
  open: () => Promise.reject(new HoldfastError('INTERNAL', 'A directory has no content')),
});

function datafile(path: string, content: Buffer, cut: Cut): SourceObject {
  const attributes: Record<string, AttributeValue> = {};
  return {
    path: pathFromText(`data/${path}`),
    kind: 'datafile',
    attributes,
    size: content.length,
    cut,
    fingerprint: null,
    open: async () => partsReader([content]),
  };
}
