import { MiB, type ContentReader as SourceReader } from '@holdfast/contracts';
import { GearChunker } from '../chunking/index.ts';
import type { ChunkIntake, ChunkSpan } from './chunk-intake.ts';
import type { ContentPart } from './chunk-ref.ts';
import type { SlabCursor } from './slab-cursor.ts';

/** Reading more than this before cutting would only delay the sealing threads. */
const READ_BYTES = MiB;

/** Where the content's description goes. */
export interface PartSink {
  addParts(parts: readonly ContentPart[]): void;
  readonly backlogged: boolean;
  catchUp(): Promise<void>;
}

export interface StreamReaderOptions {
  readonly cursor: SlabCursor;
  readonly intake: ChunkIntake;
  readonly log: PartSink;
  readonly chunkerKey: Uint8Array;
  readonly signal: AbortSignal;
  readonly onRead: (bytes: number) => void;
}

/** Reads an object whose content is cut where it says itself: files and streams. */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  readonly #chunker: GearChunker;

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#chunker = new GearChunker({ key: options.chunkerKey });
  }

  /**
   * Bytes of content in all, holes included.
   *
   * @param before what was read of it already: some bytes, which are copied, and a hole behind them.
   */
  async read(reader: SourceReader, before?: { bytes: Uint8Array; hole: number }): Promise<number> {
    const { cursor, signal, onRead } = this.#options;
    let total = 0;
    if (before) {
      (await cursor.room(before.bytes.length)).set(before.bytes);
      cursor.filled(before.bytes.length);
      if (before.hole > 0) await this.#skip(before.hole);
      total = before.bytes.length + before.hole;
    }
    for (;;) {
      const room = await cursor.room();
      const result = await reader.read(room.subarray(0, READ_BYTES), { signal });
      if (result.kind === 'end') break;
      if (result.kind === 'hole') await this.#skip(result.length);
      else {
        cursor.filled(result.length);
        await this.#cut(false);
      }
      total += result.length;
      onRead(result.length);
    }
    await this.#cut(true);
    return total;
  }

  async #skip(length: number): Promise<void> {
    await this.#cut(true);
    this.#options.log.addParts([{ kind: 'hole', length }]);
  }

  /** Forgets what was read but not cut of an object that turned out unreadable. */
  abandon(): void {
    this.#options.cursor.discard();
    this.#chunker.reset();
  }

  /** The chunks of content that lies whole in the cursor's slab. */
  spans(offset: number, length: number): ChunkSpan[] {
    const spans: ChunkSpan[] = [];
    for (let at = 0; at < length; ) {
      const chunk = this.#chunker.cut(this.#options.cursor.view(offset + at, length - at), true)!;
      spans.push({ offset: offset + at, length: chunk });
      at += chunk;
    }
    return spans;
  }

  async #cut(final: boolean): Promise<void> {
    const { cursor, intake, log } = this.#options;
    const spans: ChunkSpan[] = [];
    while (cursor.pendingBytes > 0) {
      const length = this.#chunker.cut(cursor.pending(), final);
      if (length === null) break;
      spans.push({ offset: cursor.consume(length), length });
    }
    if (spans.length === 0) return;
    const refs = await intake.admit(cursor, spans);
    log.addParts(refs.map((ref, i) => ({ kind: 'chunk', ref, offset: 0, length: spans[i]!.length })));
    if (log.backlogged) await log.catchUp();
  }
}
