import { type ContentWriter, HoldfastError } from '@holdfast/contracts';
import { abortable } from '../flow/abortable.ts';
import { sliceFrame } from '../manifest/snapshot-reader.ts';
import type { DataExtent, ExtentRun } from './extent-run.ts';

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
  write(run: ExtentRun, frameOf: (extent: DataExtent) => Promise<Uint8Array>): Promise<void> {
    const writer = this.#writer;
    if (!writer)
      throw new HoldfastError('FORMAT_INVALID', 'The manifest gives content to an object that has none.');
    const offset = this.#position;
    this.#position += run.bytes;
    this.#writing++;
    const before = this.#inOrder ? this.#tail : null;
    const written = this.#write(writer, join(run, frameOf), offset, before);
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
    joined: Promise<Uint8Array>,
    offset: number,
    before: Promise<void> | null,
  ): Promise<void> {
    const bytes = await joined;
    await before;
    await writer.write(offset, bytes);
    this.#writing--;
    if (this.#writing === 0) this.#idle();
  }
}

/** The run's bytes: of a single extent as they lie in their frame, of several copied together. */
async function join(
  run: ExtentRun,
  frameOf: (extent: DataExtent) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const [first] = run.extents;
  const frames = await Promise.all(
    run.frames.map(async (extent) => [frameKey(extent), await frameOf(extent)] as const),
  );
  if (run.extents.length === 1) return sliceFrame(frames[0]![1], first!);
  const raw = new Map(frames);
  const joined = Buffer.allocUnsafe(run.bytes);
  let at = 0;
  for (const extent of run.extents) {
    joined.set(sliceFrame(raw.get(frameKey(extent))!, extent), at);
    at += extent.length;
  }
  return joined;
}

const frameKey = ({ partition, frame }: DataExtent): string => `${partition}:${frame}`;
