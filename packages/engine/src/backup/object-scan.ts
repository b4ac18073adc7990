import {
  type ContentReader,
  comparePaths,
  HoldfastError,
  isRowReader,
  type SourceObject,
  type SourceProblem,
  type SourceSnapshot,
} from '@holdfast/contracts';
import { BlockReader } from './block-reader.ts';
import type { ChunkIntake } from './chunk-intake.ts';
import type { PartitionBook } from './partition-book.ts';
import type { PreviousObject, PreviousSnapshot } from './previous-snapshot.ts';
import { PreviousRows } from './rows/previous-rows.ts';
import type { LedgerSpan, RowLedger, RowLedgerWriter } from './rows/row-ledger.ts';
import { RowObjectReader } from './rows/row-object-reader.ts';
import type { SlabCursor } from './slab-cursor.ts';
import { isSmall, SmallObjects } from './small-objects.ts';
import type { SnapshotLog } from './snapshot-log.ts';
import { StreamReader } from './stream-reader.ts';

export interface ObjectScanOptions {
  readonly cursor: SlabCursor;
  readonly patchCursor: SlabCursor;
  readonly intake: ChunkIntake;
  readonly log: SnapshotLog;
  readonly previous: PreviousSnapshot;
  readonly chunkIdKey: Uint8Array;
  readonly chunkerKey: Uint8Array;
  readonly reread: boolean;
  readonly signal: AbortSignal;
  readonly ledger: RowLedgerWriter;
  readonly previousLedger: RowLedger;
  readonly book: PartitionBook;
  readonly onRead: (bytes: number) => void;
  /** @param takenOver bytes of content that did not have to be read. */
  readonly onObject: (takenOver: number) => void;
}

/** Goes through a source's objects once: takes over what did not change, reads the rest, and logs all in order. */
export class ObjectScan {
  readonly #options: ObjectScanOptions;
  readonly #stream: StreamReader;
  readonly #blocks: BlockReader;
  readonly #rows: RowObjectReader;
  readonly #small: SmallObjects;
  readonly problems: SourceProblem[] = [];

  constructor(options: ObjectScanOptions) {
    this.#options = options;
    this.#stream = new StreamReader(options);
    this.#blocks = new BlockReader(options);
    this.#rows = new RowObjectReader(options);
    this.#small = new SmallObjects({
      ...options,
      stream: this.#stream,
      unreadable: (object, error) => this.#unreadable(object, error),
    });
  }

  async run(snapshot: SourceSnapshot): Promise<void> {
    const { signal, onObject } = this.#options;
    let last: Uint8Array | null = null;
    for await (const object of snapshot.objects({ signal })) {
      if (last && comparePaths(last, object.path) >= 0) {
        throw new HoldfastError('INTERNAL', 'The source gave its objects out of order.');
      }
      last = object.path;
      onObject(await this.#take(object));
    }
    await this.#small.flush();
  }

  /** Bytes taken over. */
  async #take(object: SourceObject): Promise<number> {
    const { log, previous, reread } = this.#options;
    const before = await previous.find(object.path);
    const unchanged = before !== null && !reread && isUnchanged(object, before);
    if (!unchanged && isSmall(object)) {
      await this.#small.add(object);
      return 0;
    }
    await this.#small.flush();
    if (unchanged) return this.#takeOver(object, before);
    if (object.cut === null) log.beginObject(object, null, 0);
    else await this.#read(object, before);
    return 0;
  }

  async #takeOver(object: SourceObject, before: PreviousObject): Promise<number> {
    const { log } = this.#options;
    log.beginObject(object, object.fingerprint, before.object.size);
    for await (const record of before.content()) {
      log.copy(record.type === 'rows' ? { type: 'rows', ...(await this.#copyRows(record)) } : record);
      if (log.backlogged) await log.catchUp();
    }
    return before.object.size;
  }

  async #copyRows(span: LedgerSpan): Promise<LedgerSpan> {
    const { ledger, previousLedger } = this.#options;
    ledger.begin();
    await ledger.copy(previousLedger, span);
    return ledger.end();
  }

  async #read(object: SourceObject, before: PreviousObject | null): Promise<void> {
    const { log } = this.#options;
    const { cut, fingerprint } = object;
    if (cut === null) return;
    const reader = await this.#open(object);
    if (reader === null) return;
    const { intake } = this.#options;
    intake.label = object.label ?? null;
    try {
      if (cut.by === 'content') {
        log.beginObject(object, fingerprint, null);
        await this.#stream.read(reader);
      } else if (cut.by === 'rows') {
        await this.#readRows(object, reader, before);
      } else {
        if (object.size === null)
          throw new HoldfastError('INTERNAL', 'A block-cut object must have a known size.');
        const comparable =
          before?.object.cut?.by === 'blocks' && before.object.cut.blockBytes === cut.blockBytes;
        log.beginObject(object, fingerprint, object.size);
        await this.#blocks.read(reader, cut.blockBytes, async () =>
          comparable ? before.group(cut.blockBytes) : null,
        );
      }
    } catch (error) {
      if (!isLoneFile(object) || !HoldfastError.is(error, 'SOURCE_UNREADABLE')) throw error;
      this.#stream.abandon();
      log.dropObject();
      this.#unreadable(object, error);
    } finally {
      intake.label = null;
      await reader.close();
    }
  }

  async #readRows(object: SourceObject, reader: ContentReader, before: PreviousObject | null): Promise<void> {
    const { log, ledger, previousLedger } = this.#options;
    if (!isRowReader(reader)) throw new HoldfastError('INTERNAL', 'A reader of rows cannot tell them apart.');
    const earlier = before?.object.cut?.by === 'rows' ? await before.rows() : null;
    const previous = earlier && (await PreviousRows.open(previousLedger, earlier.span, earlier.extents));
    log.beginObject(object, object.fingerprint, null);
    this.#options.book.unlabelled = 'row';
    await this.#rows.read(reader, object.label ?? null, previous);
    log.setRows(ledger.end());
  }

  async #open(object: SourceObject) {
    try {
      return await object.open();
    } catch (error) {
      if (!isLoneFile(object) || !HoldfastError.is(error, 'SOURCE_UNREADABLE')) throw error;
      this.#unreadable(object, error);
      return null;
    }
  }

  #unreadable(object: SourceObject, error: unknown): void {
    this.problems.push({
      path: object.path,
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

/** One file of many may be left out of a snapshot, which is then marked incomplete; a database or a stream may not. */
const isLoneFile = (object: SourceObject): boolean => object.cut?.by === 'content' && object.kind === 'file';

function isUnchanged(object: SourceObject, before: PreviousObject): boolean {
  const { cut, fingerprint } = object;
  const { cut: cutBefore } = before.object;
  if (cut === null || cutBefore === null || fingerprint === null || fingerprint !== before.fingerprint)
    return false;
  if (cut.by !== 'blocks') return cutBefore.by === cut.by;
  return cutBefore.by === 'blocks' && cutBefore.blockBytes === cut.blockBytes;
}
