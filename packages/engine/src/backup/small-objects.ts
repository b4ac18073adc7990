import { type ContentReader, HoldfastError, type SourceObject } from '@holdfast/contracts';
import type { ChunkIntake } from './chunk-intake.ts';
import type { SlabCursor } from './slab-cursor.ts';
import type { SnapshotLog } from './snapshot-log.ts';
import type { StreamReader } from './stream-reader.ts';

/** Objects up to this size are read many at a time: for them opening and closing takes longer than reading. */
const SMALL_BYTES = 128 * 1024;
const MAX_BATCH = 32;
const MAX_BATCH_BYTES = 2 * 1024 * 1024;

/** Files only: of several read at once each may fail by itself, and nothing but a file may be left out. */
export const isSmall = (object: SourceObject): boolean =>
  object.cut?.by === 'content' &&
  object.kind === 'file' &&
  object.size !== null &&
  object.size <= SMALL_BYTES;

interface Slot {
  readonly object: SourceObject;
  /** One byte longer than the announced size, so that a file that grew is noticed. */
  readonly region: Buffer;
  readonly offset: number;
  length: number;
  /** Open when the region filled up before the end. */
  reader: ContentReader | null;
  /** Zero bytes that followed and did not fit. */
  holeBeyond: number;
  failure: unknown;
}

export interface SmallObjectsOptions {
  readonly cursor: SlabCursor;
  readonly intake: ChunkIntake;
  readonly log: SnapshotLog;
  readonly stream: StreamReader;
  readonly signal: AbortSignal;
  readonly onRead: (bytes: number) => void;
  readonly unreadable: (object: SourceObject, error: unknown) => void;
}

/** Reads runs of small objects side by side into one slab, and looks their chunks up together. */
export class SmallObjects {
  readonly #options: SmallObjectsOptions;
  #batch: SourceObject[] = [];
  #bytes = 0;

  constructor(options: SmallObjectsOptions) {
    this.#options = options;
  }

  async add(object: SourceObject): Promise<void> {
    this.#batch.push(object);
    this.#bytes += object.size! + 1;
    if (this.#batch.length >= MAX_BATCH || this.#bytes + SMALL_BYTES >= MAX_BATCH_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    const slots = await this.#reserve(batch, this.#bytes);
    this.#batch = [];
    this.#bytes = 0;
    await Promise.all(slots.map((slot) => this.#fill(slot)));
    await this.#store(slots);
  }

  async #reserve(batch: readonly SourceObject[], bytes: number): Promise<Slot[]> {
    const { cursor } = this.#options;
    await cursor.room(bytes);
    cursor.filled(bytes);
    return batch.map((object) => {
      const length = object.size! + 1;
      const offset = cursor.consume(length);
      return {
        object,
        region: cursor.view(offset, length),
        offset,
        length: 0,
        reader: null,
        holeBeyond: 0,
        failure: null,
      };
    });
  }

  async #fill(slot: Slot): Promise<void> {
    const { signal, onRead } = this.#options;
    let reader: ContentReader | null = null;
    try {
      reader = await slot.object.open();
      while (slot.length < slot.region.length) {
        const result = await reader.read(slot.region.subarray(slot.length), { signal });
        if (result.kind === 'end') break;
        const fitting = Math.min(result.length, slot.region.length - slot.length);
        if (result.kind === 'hole') slot.region.fill(0, slot.length, slot.length + fitting);
        slot.length += fitting;
        slot.holeBeyond = result.length - fitting;
        onRead(result.length);
      }
      if (slot.length === slot.region.length) slot.reader = reader;
    } catch (error) {
      if (!HoldfastError.is(error, 'SOURCE_UNREADABLE')) throw error;
      slot.failure = error;
    } finally {
      if (slot.reader === null) await reader?.close();
    }
  }

  async #store(slots: readonly Slot[]): Promise<void> {
    const { cursor, intake, log, stream, unreadable } = this.#options;
    const whole = slots.map((slot) => slot.failure === null && slot.reader === null);
    const spans = slots.map((slot, i) => (whole[i] ? stream.spans(slot.offset, slot.length) : []));
    const refs = await intake.admit(cursor, spans.flat());
    let next = 0;
    for (const [i, slot] of slots.entries()) {
      const { object } = slot;
      if (slot.failure !== null) {
        unreadable(object, slot.failure);
        continue;
      }
      log.beginObject(object, object.fingerprint, null);
      if (slot.reader) await this.#readOn(slot, slot.reader);
      log.addParts(spans[i]!.map(({ length }) => ({ kind: 'chunk', ref: refs[next++]!, offset: 0, length })));
    }
  }

  /** The object is longer than it was said to be. */
  async #readOn(slot: Slot, reader: ContentReader): Promise<void> {
    try {
      await this.#options.stream.read(reader, { bytes: Buffer.from(slot.region), hole: slot.holeBeyond });
    } catch (error) {
      if (!HoldfastError.is(error, 'SOURCE_UNREADABLE')) throw error;
      this.#options.stream.abandon();
      this.#options.log.dropObject();
      this.#options.unreadable(slot.object, error);
    } finally {
      await reader.close();
    }
  }
}
