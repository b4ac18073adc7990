import { HoldfastError } from '@holdfast/contracts';
import { type CacheRecord, type Extent, encodeOnce, MAX_EXTENTS, type ObjectRecord } from '@holdfast/formats';
import { abortable } from '../flow/abortable.ts';
import type { TaskGroup } from '../flow/task-group.ts';
import type { ObjectStream } from '../manifest/object-stream.ts';
import type { CacheWriter } from './cache-file.ts';
import { ChunkRef, type ContentPart } from './chunk-ref.ts';
import type { LedgerSpan } from './rows/row-ledger.ts';

/** Groups of a block-cut object whose extents and hashes stand together in one pair of cache records. */
export const GROUPS_PER_RECORD = 32;
/** Entries that may wait for places before reading pauses; each is some hundred bytes, or a group's hashes. */
const MAX_BACKLOG = 16_384;

type ContentRecord = Exclude<CacheRecord, { type: 'object' }>;

type Entry =
  | {
      readonly kind: 'object';
      readonly object: Omit<ObjectRecord, 'size'>;
      readonly fingerprint: string | null;
      readonly size: number | null;
    }
  | { readonly kind: 'parts'; readonly parts: readonly ContentPart[] }
  | {
      readonly kind: 'group';
      readonly parts: readonly ContentPart[];
      readonly hashes: Uint8Array | Promise<Uint8Array>;
    }
  | { readonly kind: 'rows'; readonly span: LedgerSpan }
  | { readonly kind: 'drop' }
  | { readonly kind: 'copy'; readonly record: ContentRecord }
  | { readonly kind: 'end' };

/**
 * The snapshot's objects in order, written to local files while chunks are still on their way: each entry waits
 * until its chunks have a place. One is the stream of objects of the snapshot's metadata, the other the cache for the
 * next backup's comparison.
 */
export class SnapshotLog {
  readonly #cache: CacheWriter;
  readonly #stream: ObjectStream;
  readonly #signal: AbortSignal;
  readonly #relieve: () => Promise<boolean>;
  readonly #queue: Entry[] = [];
  readonly #partitions = new Set<number>();
  #wake: () => void = () => {};
  #caughtUp: (() => void)[] = [];
  #ended = false;
  /** The object being written: content-cut objects are written only once their size is certain. */
  #open: {
    object: Omit<ObjectRecord, 'size'>;
    fingerprint: string | null;
    size: number | null;
    bytes: number;
  } | null = null;
  #extents: Extent[] = [];
  #hashes: Uint8Array[] = [];
  #rows: LedgerSpan | null = null;
  objects = 0;
  bytes = 0;

  /** @param relieve brings chunks that are still being gathered on their way; false when there is no use in waiting. */
  constructor(options: {
    cache: CacheWriter;
    stream: ObjectStream;
    tasks: TaskGroup;
    relieve: () => Promise<boolean>;
  }) {
    this.#cache = options.cache;
    this.#stream = options.stream;
    this.#signal = options.tasks.signal;
    this.#relieve = options.relieve;
    options.tasks.run(() => this.#drain());
  }

  /** Every partition that the snapshot's content lies in. */
  get partitions(): ReadonlySet<number> {
    return this.#partitions;
  }

  get backlogged(): boolean {
    return this.#queue.length > MAX_BACKLOG;
  }

  /** Paths of the objects that cannot be written yet because these chunks have no place. */
  waitingFor(chunks: ReadonlySet<string>): Uint8Array[] {
    const paths = new Set<Uint8Array>();
    let path = this.#open?.object.path;
    for (const entry of this.#queue) {
      if (entry.kind === 'object') path = entry.object.path;
      if (entry.kind !== 'parts' && entry.kind !== 'group') continue;
      const waits = entry.parts.some(
        (part) => part.kind === 'chunk' && part.ref instanceof ChunkRef && chunks.has(part.ref.id),
      );
      if (waits && path) paths.add(path);
    }
    return [...paths];
  }

  /** @param size given when it is certain, as for block-cut objects: then extents are written as they come. */
  beginObject(object: Omit<ObjectRecord, 'size'>, fingerprint: string | null, size: number | null): void {
    this.#push({ kind: 'object', object, fingerprint, size });
  }

  addParts(parts: readonly ContentPart[]): void {
    this.#push({ kind: 'parts', parts });
  }

  /** One group of the block-cut object that is open. */
  addGroup(parts: readonly ContentPart[], hashes: Uint8Array | Promise<Uint8Array>): void {
    this.#push({ kind: 'group', parts, hashes });
  }

  /** Where the row ledger tells of the object that is open, which is cut by rows. */
  setRows(span: LedgerSpan): void {
    this.#push({ kind: 'rows', span });
  }

  /** The content-cut object that is open turned out unreadable: leave it out. */
  dropObject(): void {
    this.#push({ kind: 'drop' });
  }

  /** A record of the previous snapshot's cache, of an object that did not change. */
  copy(record: ContentRecord): void {
    this.#push({ kind: 'copy', record });
  }

  /** Waits until the backlog is written. */
  async catchUp(before: () => Promise<void> = async () => {}): Promise<void> {
    await before();
    if (!(await this.#relieve()) || this.#queue.length === 0) return;
    await abortable(new Promise<void>((resolve) => this.#caughtUp.push(resolve)), this.#signal);
  }

  /** No more objects; resolves when everything is in the file. */
  async end(): Promise<void> {
    this.#push({ kind: 'end' });
    while (!this.#ended)
      await abortable(new Promise<void>((resolve) => this.#caughtUp.push(resolve)), this.#signal);
  }

  #push(entry: Entry): void {
    this.#queue.push(entry);
    this.#wake();
  }

  async #drain(): Promise<void> {
    for (let next = 0; ; next++) {
      if (next === this.#queue.length) {
        this.#queue.length = next = 0;
        for (const resolve of this.#caughtUp.splice(0)) resolve();
        if (this.#ended) return;
        await abortable(
          new Promise<void>((resolve) => {
            this.#wake = resolve;
          }),
          this.#signal,
        );
      }
      await this.#write(this.#queue[next]!);
      if (next >= 1024) {
        this.#queue.splice(0, next);
        next = 0;
      }
    }
  }

  async #write(entry: Entry): Promise<void> {
    switch (entry.kind) {
      case 'object':
        await this.#closeObject();
        this.#open = { ...entry, bytes: 0 };
        if (entry.size !== null)
          await this.#writeObject({ ...entry.object, size: entry.size }, entry.fingerprint);
        return;
      case 'parts':
        await this.#addExtents(entry.parts);
        return;
      case 'group':
        await this.#addExtents(entry.parts);
        this.#hashes.push(await abortable(Promise.resolve(entry.hashes), this.#signal));
        if (this.#hashes.length === GROUPS_PER_RECORD) await this.#writeGroups();
        return;
      case 'rows':
        this.#rows = entry.span;
        return;
      case 'drop':
        this.#open = null;
        this.#extents = [];
        return;
      case 'copy':
        if (entry.record.type === 'extents') await this.#addExtents(entry.record.extents);
        else if (entry.record.type === 'rows') this.#rows = entry.record;
        else {
          await this.#writeExtents();
          await this.#cache.blocks(entry.record.hashes);
        }
        return;
      case 'end':
        await this.#closeObject();
        this.#ended = true;
    }
  }

  async #addExtents(parts: readonly ContentPart[]): Promise<void> {
    for (const part of parts) {
      const extent = part.kind === 'chunk' ? await this.#extentOf(part) : part;
      if (extent.kind === 'data') this.#partitions.add(extent.partition);
      this.#open!.bytes += extent.length;
      appendExtent(this.#extents, extent);
      if (this.#open!.size !== null && this.#extents.length > MAX_EXTENTS) {
        await this.#writeSome(this.#extents.splice(0, MAX_EXTENTS));
      }
    }
  }

  async #extentOf(part: Extract<ContentPart, { kind: 'chunk' }>): Promise<Extent> {
    const ref = await abortable(Promise.resolve(part.ref), this.#signal);
    const { partition, frame, offset } = ref.location ?? (await abortable(ref.located(), this.#signal));
    return { kind: 'data', partition, frame, offset: offset + part.offset, length: part.length };
  }

  async #closeObject(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    if (open.size === null) await this.#writeObject({ ...open.object, size: open.bytes }, open.fingerprint);
    else if (open.size !== open.bytes) {
      throw new HoldfastError(
        'SOURCE_CHANGED',
        `The source announced ${open.size} bytes of content and gave ${open.bytes}.`,
      );
    }
    if (this.#hashes.length > 0) await this.#writeGroups();
    else await this.#writeExtents();
    if (this.#rows) await this.#cache.rows(this.#rows);
    this.#rows = null;
    this.objects++;
    this.bytes += open.bytes;
    this.#open = null;
  }

  async #writeObject(object: ObjectRecord, fingerprint: string | null): Promise<void> {
    const encoded = encodeOnce(object);
    await this.#cache.object(encoded, fingerprint);
    await this.#stream.object(encoded);
  }

  async #writeSome(extents: readonly Extent[]): Promise<void> {
    await this.#cache.extents(extents);
    await this.#stream.extents(extents);
  }

  async #writeGroups(): Promise<void> {
    await this.#writeExtents();
    await this.#cache.blocks(Buffer.concat(this.#hashes));
    this.#hashes = [];
  }

  async #writeExtents(): Promise<void> {
    for (let at = 0; at < this.#extents.length; at += MAX_EXTENTS) {
      await this.#writeSome(this.#extents.slice(at, at + MAX_EXTENTS));
    }
    this.#extents = [];
  }
}

/** Joins neighbours: eight groups that one frame holds in a row become one extent. */
export function appendExtent(extents: Extent[], extent: Extent): void {
  const last = extents.at(-1);
  if (last?.kind === 'hole' && extent.kind === 'hole') {
    extents[extents.length - 1] = { kind: 'hole', length: last.length + extent.length };
  } else if (last?.kind === 'data' && extent.kind === 'data' && follows(last, extent)) {
    extents[extents.length - 1] = { ...last, length: last.length + extent.length };
  } else extents.push(extent);
}

const follows = (a: Extract<Extent, { kind: 'data' }>, b: Extract<Extent, { kind: 'data' }>): boolean =>
  a.partition === b.partition && a.frame === b.frame && a.offset + a.length === b.offset;
