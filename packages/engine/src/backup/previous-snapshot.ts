import {
  type Catalog,
  comparePaths,
  HoldfastError,
  type ObjectPath,
  type SnapshotId,
} from '@holdfast/contracts';
import type { CacheRecord, Extent, ObjectRecord } from '@holdfast/formats';
import { BLOCK_HASH_BYTES } from '../sealing/block-hashes.ts';
import { groupBytes, type PreviousGroup, sliceExtents } from './block-reader.ts';
import { readCache, readCacheExtents, readCacheHeader } from './cache-file.ts';
import type { PartitionSurvey } from './partition-survey.ts';
import type { LedgerSpan } from './rows/row-ledger.ts';

type ContentRecord = Exclude<CacheRecord, { type: 'object' }>;

/**
 * The previous snapshot of a source, from the local cache, read in step with the new one: both are in the order of
 * paths. Losing it costs a full read of the source, nothing else.
 */
export class PreviousSnapshot {
  /** Null when there is none. */
  readonly snapshot: SnapshotId | null;
  readonly #records: AsyncGenerator<CacheRecord, void> | null;
  #next: CacheRecord | null = null;

  private constructor(snapshot: SnapshotId | null, records: AsyncGenerator<CacheRecord, void> | null) {
    this.snapshot = snapshot;
    this.#records = records;
  }

  /** Empty unless there is a whole cache of a snapshot that the catalog knows, and all its partitions are still there. */
  static async open(path: string, catalog: Catalog, survey: PartitionSurvey): Promise<PreviousSnapshot> {
    const snapshot = await usableSnapshot(path, catalog, survey);
    const previous = new PreviousSnapshot(snapshot, snapshot === null ? null : readCache(path));
    await previous.#advance();
    return previous;
  }

  /** The object of that path, or null. Paths must be asked for in ascending order, and each object read before the next. */
  async find(path: ObjectPath): Promise<PreviousObject | null> {
    for (let record = this.#next; record !== null; record = this.#next) {
      if (record.type !== 'object') {
        await this.#advance();
        continue;
      }
      const order = comparePaths(record.object.path, path);
      if (order > 0) return null;
      await this.#advance();
      if (order === 0)
        return new PreviousObject(record.object, record.fingerprint, () => this.#takeContent());
    }
    return null;
  }

  async close(): Promise<void> {
    await this.#records?.return();
  }

  async #takeContent(): Promise<ContentRecord | null> {
    const record = this.#next;
    if (record === null || record.type === 'object') return null;
    await this.#advance();
    return record;
  }

  async #advance(): Promise<void> {
    const result = await this.#records?.next();
    this.#next = !result || result.done ? null : (result.value as CacheRecord);
  }
}

/** One object of the previous snapshot; its records are consumed as they are asked for. */
export class PreviousObject {
  readonly object: ObjectRecord;
  readonly fingerprint: string | null;
  readonly #take: () => Promise<ContentRecord | null>;
  readonly #groups: PreviousGroup[] = [];
  #position = 0;

  constructor(object: ObjectRecord, fingerprint: string | null, take: () => Promise<ContentRecord | null>) {
    this.object = object;
    this.fingerprint = fingerprint;
    this.#take = take;
  }

  /** The records of its content as they are, for objects that are taken over whole. */
  async *content(): AsyncGenerator<ContentRecord> {
    for (let record = await this.#take(); record !== null; record = await this.#take()) yield record;
  }

  /** The next group of a block-cut object; null at the end. */
  async group(blockBytes: number): Promise<PreviousGroup | null> {
    if (this.#groups.length === 0) await this.#readGroups(blockBytes);
    return this.#groups.shift() ?? null;
  }

  /** Of an object cut by rows: what it consists of, and where the row ledger tells of it. */
  async rows(): Promise<{ extents: readonly Extent[]; span: LedgerSpan } | null> {
    const extents: Extent[] = [];
    let span: LedgerSpan | null = null;
    for await (const record of this.content()) {
      if (record.type === 'extents') for (const extent of record.extents) extents.push(extent);
      else if (record.type === 'rows') span = record;
    }
    return span && { extents, span };
  }

  async #readGroups(blockBytes: number): Promise<void> {
    const extents: Extent[] = [];
    for (let record = await this.#take(); record !== null; record = await this.#take()) {
      if (record.type === 'blocks') return this.#splitGroups(extents, record.hashes, blockBytes);
      if (record.type === 'extents') extents.push(...record.extents);
    }
  }

  #splitGroups(extents: readonly Extent[], hashes: Uint8Array, blockBytes: number): void {
    let from = 0;
    for (let at = 0; at < hashes.length; ) {
      const bytes = Math.min(groupBytes(blockBytes), this.object.size - this.#position);
      const length = (1 + Math.ceil(bytes / blockBytes)) * BLOCK_HASH_BYTES;
      this.#groups.push({
        bytes,
        hashes: hashes.subarray(at, at + length),
        extents: sliceExtents(extents, from, from + bytes),
      });
      at += length;
      from += bytes;
      this.#position += bytes;
    }
  }
}

async function usableSnapshot(
  path: string,
  catalog: Catalog,
  survey: PartitionSurvey,
): Promise<SnapshotId | null> {
  const partitions = new Set<number>();
  let snapshot: SnapshotId;
  try {
    const header = await readCacheHeader(path);
    if (header === null || (await catalog.snapshot(header.snapshot)) === null) return null;
    snapshot = header.snapshot;
    for await (const extents of readCacheExtents(path)) {
      for (const extent of extents) if (extent.kind === 'data') partitions.add(extent.partition);
    }
  } catch (error) {
    if (isAbsent(error) || HoldfastError.is(error, 'FORMAT_INVALID', 'FORMAT_VERSION')) return null;
    throw error;
  }
  const usable = await survey.usable(partitions);
  return [...partitions].every(usable) ? snapshot : null;
}

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
