import type { ChunkId, ChunkLocation, PartitionLabel } from '@holdfast/contracts';
import type { Extent } from '@holdfast/formats';

/**
 * A chunk on its way into a partition. `location` is known once its frame has joined a stripe; that the stripe is
 * durable is known only when the stripe flow says so.
 */
export class ChunkRef {
  readonly id: ChunkId;
  readonly length: number;
  /** Whose partitions it goes to when it is new. */
  readonly label: PartitionLabel | null;
  location: ChunkLocation | null = null;
  readonly #waiters: (() => void)[] = [];

  constructor(
    id: ChunkId,
    length: number,
    {
      location = null,
      label = null,
    }: { location?: ChunkLocation | null; label?: PartitionLabel | null } = {},
  ) {
    this.id = id;
    this.length = length;
    this.label = label;
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
