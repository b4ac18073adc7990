import { KiB, MAX_ROW_BYTES, MiB, type PartitionLabel, type RowReader } from '@holdfast/contracts';
import type { LedgerGroup } from '@holdfast/formats';
import { GearChunker } from '../../chunking/index.ts';
import type { ChunkIntake, ChunkSpan } from '../chunk-intake.ts';
import type { ContentPart } from '../chunk-ref.ts';
import type { PartitionBook } from '../partition-book.ts';
import { PatchChunk } from '../patch-chunk.ts';
import type { SlabCursor } from '../slab-cursor.ts';
import type { SnapshotLog } from '../snapshot-log.ts';
import { beginsGroup } from './group-border.ts';
import { PendingRows } from './pending-rows.ts';
import type { PreviousRows } from './previous-rows.ts';
import { RowComparison, type Run } from './row-comparison.ts';
import type { RowLedgerWriter } from './row-ledger.ts';

const READ_BYTES = MiB;
/** New rows between known ones go to patch chunks in pieces of this length. */
const PIECE_BYTES = 128 * KiB;
/** A group is stored whole again when describing it would cost more than this share of its bytes … */
const MAX_PATCHED_SHARE = 0.5;
/** … where each piece counts as so many bytes: what its extent takes in this and all later snapshots, and at restores. */
const PIECE_COST = 128;

export interface RowObjectReaderOptions {
  readonly cursor: SlabCursor;
  readonly patchCursor: SlabCursor;
  readonly intake: ChunkIntake;
  readonly log: SnapshotLog;
  readonly ledger: RowLedgerWriter;
  readonly book: PartitionBook;
  readonly chunkerKey: Uint8Array;
  readonly signal: AbortSignal;
  readonly onRead: (bytes: number) => void;
}

/**
 * Reads rows that come in the order of their keys. Each group is compared row by row with the previous snapshot: rows that it has
 * are taken over where they lie, those that it has not are gathered in patch chunks. So an edit costs its row, wherever it is,
 * and a restore needs no chain of deltas.
 */
export class RowObjectReader {
  readonly #options: RowObjectReaderOptions;
  readonly #chunker: GearChunker;
  readonly #pending = new PendingRows();
  /** Whole groups in the cursor's slab that are not yet taken in: asked for together. */
  #spans: ChunkSpan[] = [];

  constructor(options: RowObjectReaderOptions) {
    this.#options = options;
    this.#chunker = new GearChunker({ key: options.chunkerKey });
  }

  async read(reader: RowReader, label: PartitionLabel | null, previous: PreviousRows | null): Promise<void> {
    const { cursor, intake, ledger, signal, onRead } = this.#options;
    const patch = new PatchChunk(this.#options.patchCursor, intake);
    const target = { label, patch, comparison: previous && new RowComparison(previous) };
    ledger.begin();
    for (;;) {
      const room = await cursor.room(MAX_ROW_BYTES);
      const result = await reader.readRows(room.subarray(0, READ_BYTES), { signal });
      if (result.kind === 'end') break;
      if (result.kind === 'rows') {
        cursor.filled(result.length);
        await this.#takeRows(result, target);
      } else {
        // Behind everything that is pending, so that must have its place in the log first.
        await this.#group(this.#pending.count, null, target);
        cursor.filled(result.length);
        await this.#takePiece(result.length, result.last);
      }
      await this.#takeIn();
      onRead(result.length);
      if (this.#options.log.backlogged) await this.#options.log.catchUp(() => patch.close());
    }
    await this.#group(this.#pending.count, null, target);
    await this.#takeIn();
    await patch.close();
  }

  async #takeRows(
    batch: Extract<Awaited<ReturnType<RowReader['readRows']>>, { kind: 'rows' }>,
    target: Target,
  ) {
    const pending = this.#pending;
    let row = pending.count;
    pending.add(batch);
    const before = { bytes: this.#pendingBytes(row), rows: row };
    for (; row < pending.count; row++) {
      const length = pending.length(row);
      const key = pending.key(row);
      if (beginsGroup(key[0], length, before)) {
        await this.#group(row, key, target);
        row = 0;
        before.bytes = before.rows = 0;
      }
      before.bytes += length;
      before.rows++;
    }
  }

  #pendingBytes(rows: number): number {
    let bytes = 0;
    for (const length of this.#pending.lengths(rows)) bytes += length;
    return bytes;
  }

  /** The first `rows` that are pending are a group. */
  async #group(rows: number, next: readonly [number, number] | null, target: Target): Promise<void> {
    if (rows === 0) return;
    const { cursor, ledger } = this.#options;
    const pending = this.#pending;
    const group: LedgerGroup = {
      key: pending.key(0),
      bytes: this.#pendingBytes(rows),
      lengths: pending.lengths(rows),
      hashes: pending.hashes(rows),
    };
    const runs = await target.comparison?.runs(group, next);
    await ledger.add(group);
    pending.drop(rows);
    if (!runs || !isWorthPatching(runs, group.bytes)) {
      this.#spans.push({ offset: cursor.consume(group.bytes), length: group.bytes });
      return;
    }
    await this.#takeIn();
    const start = cursor.consume(group.bytes);
    this.#options.log.addParts(await this.#patched(runs, start, target));
  }

  async #patched(runs: readonly Run[], start: number, { label, patch }: Target): Promise<ContentPart[]> {
    const { cursor, book } = this.#options;
    const isNew = runs.some(({ known }) => !known);
    const parts: ContentPart[] = [];
    for (const run of runs) {
      if (run.known) {
        parts.push(...run.extents);
        if (!isNew || label === null) continue;
        for (const extent of run.extents) if (extent.kind === 'data') book.follows(label, extent.partition);
        continue;
      }
      for (let at = 0; at < run.bytes; at += PIECE_BYTES) {
        const length = Math.min(PIECE_BYTES, run.bytes - at);
        parts.push(await patch.append(cursor.view(start + run.from + at, length)));
      }
    }
    return parts;
  }

  /** Of a row too long to be compared: cut by content, each row by itself. */
  async #takePiece(length: number, last: boolean): Promise<void> {
    const { cursor, ledger } = this.#options;
    await ledger.add({ key: [0, 0], bytes: length, lengths: NO_WORDS, hashes: NO_WORDS });
    while (cursor.pendingBytes > 0) {
      const chunk = this.#chunker.cut(cursor.pending(), last);
      if (chunk === null) break;
      this.#spans.push({ offset: cursor.consume(chunk), length: chunk });
    }
  }

  async #takeIn(): Promise<void> {
    const { cursor, intake, log } = this.#options;
    const spans = this.#spans;
    if (spans.length === 0) return;
    this.#spans = [];
    const refs = await intake.admit(cursor, spans);
    log.addParts(refs.map((ref, i) => ({ kind: 'chunk', ref, offset: 0, length: spans[i]!.length })));
  }
}

interface Target {
  readonly label: PartitionLabel | null;
  readonly patch: PatchChunk;
  readonly comparison: RowComparison | null;
}

const NO_WORDS = new Uint32Array(0);

/**
 * Many pieces make a group expensive to describe and slow to restore; so whatever the number of snapshots, a group that has
 * crumbled is made whole at its next change.
 */
function isWorthPatching(runs: readonly Run[], bytes: number): boolean {
  let cost = 0;
  for (const run of runs) {
    cost += run.known ? PIECE_COST * run.extents.length : run.bytes + PIECE_COST;
  }
  const isUnchanged = runs.every(({ known }) => known);
  return isUnchanged || cost <= MAX_PATCHED_SHARE * bytes;
}
