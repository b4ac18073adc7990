import type { ChunkId, ChunkLocation } from '@holdfast/contracts';
import type { Extent } from '@holdfast/formats';

/**
 * A chunk on its way into a partition. `location` is known once its frame has joined a stripe; that the stripe is
 * durable is known only when the stripe flow says so.
 */
export class ChunkRef {
  readonly id: ChunkId;
  readonly length: number;
  location: ChunkLocation | null = null;
  readonly #waiters: (() => void)[] = [];

  constructor(id: ChunkId, length: number, location: ChunkLocation | null = null) {
    this.id = id;
    this.length = length;
    this.location = location;
  }

  locate(location: ChunkLocation): void {
    this.location = location;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  async located(): Promise<ChunkLocation> {
    while (this.location === null) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    return this.location;
  }
}

/**
 * Some of an object's content: an extent already known (a hole, or bytes that an earlier snapshot stored), or a slice
 * of a chunk that may not have a place, or not even an id, yet.
 */
export type ContentPart =
  | Extent
  | {
      readonly kind: 'chunk';
      readonly ref: ChunkRef | Promise<ChunkRef>;
      readonly offset: number;
      readonly length: number;
    };
