import type { ObjectPath } from './paths.ts';

/** What a source wants back at restore: small facts, in the value kinds that canonical CBOR carries. */
export type AttributeValue = string | number | bigint | boolean | Uint8Array | null;
export type Attributes = Readonly<Record<string, AttributeValue>>;

/**
 * How content is cut into chunks. `content`: wherever a rolling hash says, so that insertions move borders only
 * locally (files, streams). `blocks`: content is an array of blocks that change in place (database pages); it is cut at
 * fixed borders, and later snapshots store just the blocks that differ.
 */
export type Cut = { readonly by: 'content' } | { readonly by: 'blocks'; readonly blockBytes: number };

export interface ObjectHeader {
  /** Unique within the snapshot. */
  readonly path: ObjectPath;
  /** The source's own word: `file`, `directory`, `symlink`, `hardlink`, `database`, `stream`. */
  readonly kind: string;
  readonly attributes: Attributes;
}

export interface SourceObject extends ObjectHeader {
  /** Bytes of content as far as known beforehand; null when not. A hint for progress and buffers, never trusted. */
  readonly size: number | null;
  /** Null for objects without content (directories, links). */
  readonly cut: Cut | null;
  /**
   * Equal fingerprints of one path in two snapshots mean that the content cannot have changed in between; null when
   * the source cannot promise that (also for anything changed so recently that its clock could not tell).
   */
  readonly fingerprint: string | null;
  /**
   * Once per object at most, and before the snapshot is closed. SOURCE_UNREADABLE, here or while reading, when the object
   * vanished since it was listed or cannot be read: whoever reads leaves a file of a tree out then, counts it among
   * the problems (the source itself does not), and goes on.
   */
  open(): Promise<ContentReader>;
}

export type ReadResult =
  | { readonly kind: 'data'; readonly length: number }
  /** `length` zero bytes that a sink may leave unwritten. */
  | { readonly kind: 'hole'; readonly length: number }
  | { readonly kind: 'end' };

export interface ContentReader {
  /**
   * Puts the next bytes at the start of `into` (which may lie in shared memory) and says how many: at least one, and
   * as many as fit unless the content or a hole ends. `into` is borrowed until the promise settles. One read at a time.
   * Fails with SOURCE_UNREADABLE or SOURCE_CHANGED; CANCELLED when the signal fires.
   */
  read(into: Uint8Array, options?: { signal?: AbortSignal }): Promise<ReadResult>;
  /** May be called at any time, more than once. */
  close(): Promise<void>;
}

/** One consistent view: whatever happens to the source meanwhile, all objects are as of one moment. */
export interface SourceSnapshot {
  /** Of the whole: what a sink must know before the first object (page size, encoding, root path). */
  readonly attributes: Attributes;
  /** Sums for progress, as far as cheaply known. */
  readonly estimate: { readonly objects: number | null; readonly bytes: number | null };
  /** In ascending order of path (`comparePaths`), each once. One iteration per snapshot. */
  objects(options?: { signal?: AbortSignal }): AsyncIterable<SourceObject>;
  /**
   * What could not be read though the rest could (a file without permission): such a snapshot is kept but marked
   * incomplete, and the run exits non-zero. Complete only after `objects` has ended.
   */
  readonly problems: readonly SourceProblem[];
  /** Releases locks, connections and temporary files. Idempotent. */
  close(): Promise<void>;
}

export interface SourceProblem {
  readonly path: ObjectPath;
  readonly message: string;
}

export interface Source {
  /** `sqlite`, `tree`, `stdin`: chooses the sink at restore. */
  readonly kind: string;
  /** Checks that a snapshot could be taken and says what is there, changing nothing. SOURCE_UNREADABLE if not. */
  test(options?: { signal?: AbortSignal }): Promise<SourceReport>;
  /** Begins a consistent view. SOURCE_UNREADABLE, SOURCE_CORRUPT, SOURCE_CHANGED, CANCELLED. */
  open(options?: { signal?: AbortSignal }): Promise<SourceSnapshot>;
}

export interface SourceReport {
  readonly kind: string;
  readonly bytes: number | null;
  readonly objects: number | null;
  /** Lines for people: version, journal mode, number of tables. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}
