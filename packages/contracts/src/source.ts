import type { PartitionKind } from './partition.ts';
import type { ObjectPath } from './paths.ts';

/** What a source wants back at restore: small facts, in the value kinds that canonical CBOR carries. */
export type AttributeValue = string | number | bigint | boolean | Uint8Array | null;
export type Attributes = Readonly<Record<string, AttributeValue>>;

/**
 * How content is cut into chunks. `content`: wherever a rolling hash says, so that insertions move borders only
 * locally (files, streams). `blocks`: content is an array of blocks that change in place (database pages); it is cut at
 * fixed borders, and later snapshots store just the blocks that differ. `rows`: content is rows in the order of their
 * keys; it is cut between rows, where the keys say, and later snapshots store just the rows that differ.
 */
export type Cut =
  | { readonly by: 'content' }
  | { readonly by: 'blocks'; readonly blockBytes: number }
  | { readonly by: 'rows' };

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
  /** Default: content may share partitions with other unlabelled objects. */
  readonly label?: PartitionLabel;
  /**
   * A `RowReader` where the cut is `rows`. Once per object at most, and before the snapshot is closed. SOURCE_UNREADABLE, here or while reading, when the object
   * vanished since it was listed or cannot be read: whoever reads leaves a file of a tree out then, counts it among
   * the problems (the source itself does not), and goes on.
   */
  open(): Promise<ContentReader>;
}

/** Objects of one label share partitions with each other and with nothing else. */
export interface PartitionLabel {
  /** `table.family.window`, in the source's words: unique within the source, the same in every snapshot. */
  readonly name: string;
  /** What drew the borders around it. A partition that only continues a full one of its label is of kind `size`. */
  readonly kind: PartitionKind;
  /** Labels of one group hold different columns of the same rows: their partitions are siblings of each other. */
  readonly group: string | null;
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

/**
 * Whole rows, back to back, that lie at the start of the buffer; or a piece of a row longer than `MAX_ROW_BYTES`, which
 * fills buffers one after the other until `last`. The arrays are the reader's own, good until the next read.
 */
export type RowsResult =
  | {
      readonly kind: 'rows';
      readonly length: number;
      readonly count: number;
      /** Bytes of each row; they add up to `length`. */
      readonly lengths: Uint32Array;
      /** Four words a row: a keyed hash of all its bytes. Rows of equal hashes are taken to be equal. */
      readonly hashes: Uint32Array;
      /** Two words a row: a keyed hash of its key alone. */
      readonly keys: Uint32Array;
    }
  | { readonly kind: 'piece'; readonly length: number; readonly last: boolean }
  | { readonly kind: 'end' };

/** Longer rows are not compared with earlier snapshots as rows, but cut by content as if each were a file. */
export const MAX_ROW_BYTES = 256 * 1024;

export interface RowReader extends ContentReader {
  /**
   * As `read`, with rows told apart: as many whole rows as fit and are at hand, at least one. `into` has room for at
   * least `MAX_ROW_BYTES`. A reader is read by `read` or by `readRows`, not by both in turns.
   */
  readRows(into: Uint8Array, options?: { signal?: AbortSignal }): Promise<RowsResult>;
}

export const isRowReader = (reader: ContentReader): reader is RowReader => 'readRows' in reader;

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
  open(options?: SourceOpenOptions): Promise<SourceSnapshot>;
}

export interface SourceOpenOptions {
  readonly signal?: AbortSignal;
  /** 32 secret bytes, the vault's own and the same in every run, under which rows are hashed. Default: zeros. */
  readonly rowKey?: Uint8Array;
}

export interface SourceReport {
  readonly kind: string;
  readonly bytes: number | null;
  readonly objects: number | null;
  /** Lines for people: version, journal mode, number of tables. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}
