import { MiB } from '@holdfast/contracts';
import type { Extent } from '@holdfast/formats';

export type DataExtent = Extract<Extent, { kind: 'data' }>;

/** What is written at once: as much as one frame gives when nothing was ever edited. */
const RUN_BYTES = MiB;
/** All frames of a run are in memory together. */
const RUN_FRAMES = 8;

/**
 * Extents that follow one another in an object, to be written as one piece. After scattered edits an object consists of
 * very many small extents out of few frames; writing each by itself would cost more than fetching them.
 */
export class ExtentRun {
  readonly extents: DataExtent[] = [];
  readonly #frames = new Set<string>();
  bytes = 0;

  /** False when the extent has to begin another run. */
  add(extent: DataExtent): boolean {
    const frame = `${extent.partition}:${extent.frame}`;
    const full =
      this.bytes + extent.length > RUN_BYTES || (this.#frames.size >= RUN_FRAMES && !this.#frames.has(frame));
    if (full && this.extents.length > 0) return false;
    this.extents.push(extent);
    this.#frames.add(frame);
    this.bytes += extent.length;
    return true;
  }

  /** The first extent of each frame. */
  get frames(): DataExtent[] {
    const seen = new Set<string>();
    return this.extents.filter(({ partition, frame }) => {
      const key = `${partition}:${frame}`;
      return !seen.has(key) && seen.add(key);
    });
  }
}
