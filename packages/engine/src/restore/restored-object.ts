import { type ContentWriter, copyInto, HoldfastError } from '@holdfast/contracts';
import { abortable } from '../flow/abortable.ts';
import { sliceFrame } from '../manifest/snapshot-reader.ts';
import type { DataExtent, ExtentRun } from './extent-run.ts';
import type { LentFrame } from './frame-cache.ts';

/** Where the run's frames come from. */
type Lend = (extent: DataExtent) => Promise<LentFrame>;

/** One object on its way to the sink: runs of extents are written as their frames arrive, or strictly in order. */
export class RestoredObject {
  readonly #writer: ContentWriter | null;
  readonly #inOrder: boolean;
  #writing = 0;
  #position = 0;
  #tail: Promise<void> = Promise.resolve();
  #idle: () => void = () => {};

  constructor(writer: ContentWriter | null, inOrder: boolean) {
    this.#writer = writer;
    this.#inOrder = inOrder;
  }

  /** Content bytes announced so far, holes included. */
  get size(): number {
    return this.#position;
  }

  skip(length: number): void {
    this.#position += length;
  }

  /** Writes the run at the position where the object's content stands now; call in order of the content. */
  write(run: ExtentRun, lend: Lend): Promise<void> {
    const writer = this.#writer;
    if (!writer)
      throw new HoldfastError('FORMAT_INVALID', 'The manifest gives content to an object that has none.');
    const offset = this.#position;
    this.#position += run.bytes;
    this.#writing++;
    const before = this.#inOrder ? this.#tail : null;
    const written = this.#write(writer, run, lend, { offset, before });
    this.#tail = written.catch(() => {});
    return written;
  }

  /** After the last extent: waits for the writes, then gives the object its final length and attributes. */
  async complete(signal: AbortSignal): Promise<void> {
    while (this.#writing > 0) {
      await abortable(
        new Promise<void>((resolve) => {
          this.#idle = resolve;
        }),
        signal,
      );
    }
    await this.#writer?.complete(this.#position);
  }

  async #write(
    writer: ContentWriter,
    run: ExtentRun,
    lend: Lend,
    { offset, before }: { offset: number; before: Promise<void> | null },
  ): Promise<void> {
    const frames = new RunFrames();
    try {
      await frames.borrow(run, lend);
      await before;
      await writer.write(offset, frames.join(run));
    } finally {
      frames.release();
    }
    this.#writing--;
    if (this.#writing === 0) this.#idle();
  }
}

/** The frames that one run needs, on loan until it is written. */
class RunFrames {
  readonly #lent = new Map<string, LentFrame>();

  /** Waits for all of them, also when one fails: those that came must be given back. */
  async borrow(run: ExtentRun, lend: Lend): Promise<void> {
    const outcomes = await Promise.allSettled(
      run.frames.map(async (extent) => this.#lent.set(frameKey(extent), await lend(extent))),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** The run's bytes: of a single extent as they lie in their frame, of several copied together. */
  join(run: ExtentRun): Uint8Array {
    const bytesOf = (extent: DataExtent) => sliceFrame(this.#lent.get(frameKey(extent))!.bytes, extent);
    const [first] = run.extents;
    if (run.extents.length === 1) return bytesOf(first!);
    const joined = Buffer.allocUnsafe(run.bytes);
    let at = 0;
    for (const extent of run.extents) {
      copyInto(joined, at, bytesOf(extent));
      at += extent.length;
    }
    return joined;
  }

  release(): void {
    for (const frame of this.#lent.values()) frame.release();
  }
}

const frameKey = ({ partition, frame }: DataExtent): string => `${partition}:${frame}`;
