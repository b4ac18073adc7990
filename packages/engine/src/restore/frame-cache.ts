import { MiB } from '@holdfast/contracts';

/** Frames kept after use: slices of one frame are wanted close together. */
const KEPT_BYTES = 16 * MiB;
/** No frame that we made is longer; a longer one comes in memory of its own. */
const BUFFER_BYTES = MiB;

/** A frame's raw bytes on loan: read only, shared with others, and not to be touched after `release`. */
export interface LentFrame {
  readonly bytes: Uint8Array;
  /** Once. */
  release(): void;
}

/** Fills `into` and gives the filled part, or other memory where the frame does not fit. */
export type Inflate = (partition: number, frame: number, into: SharedArrayBuffer) => Promise<Uint8Array>;

interface Entry {
  readonly raw: Promise<Uint8Array>;
  readonly buffer: SharedArrayBuffer;
  /** 0 until it is there. */
  bytes: number;
  users: number;
}

/**
 * Decompressed frames in recycled memory: fresh buffers would outlive a collection or two while they are in use, and
 * gigabytes of such make V8 collect everything, again and again. Beyond what is lent, least recently used first, little is kept.
 */
export class FrameCache {
  readonly #inflate: Inflate;
  readonly #entries = new Map<string, Entry>();
  readonly #spare: SharedArrayBuffer[] = [];
  #bytes = 0;

  constructor(inflate: Inflate) {
    this.#inflate = inflate;
  }

  has(partition: number, frame: number): boolean {
    return this.#entries.has(`${partition}:${frame}`);
  }

  async lend(partition: number, frame: number): Promise<LentFrame> {
    const key = `${partition}:${frame}`;
    const entry = this.#entries.get(key) ?? this.#begin(key, partition, frame);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users++;
    try {
      const bytes = await entry.raw;
      return { bytes, release: () => this.#release(entry) };
    } catch (error) {
      this.#release(entry);
      throw error;
    }
  }

  #begin(key: string, partition: number, frame: number): Entry {
    const buffer = this.#spare.pop() ?? new SharedArrayBuffer(BUFFER_BYTES);
    const entry: Entry = { raw: this.#inflate(partition, frame, buffer), buffer, bytes: 0, users: 0 };
    entry.raw.then(
      ({ length }) => {
        entry.bytes = length;
        this.#bytes += length;
      },
      () => {
        this.#entries.delete(key);
        this.#spare.push(buffer);
      },
    );
    return entry;
  }

  #release(entry: Entry): void {
    entry.users--;
    for (const [key, { bytes, users, buffer }] of this.#entries) {
      if (this.#bytes <= KEPT_BYTES) return;
      if (users > 0 || bytes === 0) continue;
      this.#entries.delete(key);
      this.#bytes -= bytes;
      this.#spare.push(buffer);
    }
  }
}
