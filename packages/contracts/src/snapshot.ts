import type { SnapshotId } from './ids.ts';
import type { Stripe } from './partition.ts';

export interface SnapshotTotals {
  readonly objects: number;
  /** Content bytes of all objects, holes included. */
  readonly bytes: number;
  /** Content bytes that were not stored before this snapshot. */
  readonly newBytes: number;
  /**
   * Bytes sent to peers for this snapshot: whole shards, parity included. In the catalog's record also those of its
   * metadata and manifest, which the manifest itself cannot count yet; likewise `partitions`.
   */
  readonly storedBytes: number;
  readonly partitions: number;
}

export interface SnapshotRecord {
  readonly id: SnapshotId;
  /** Position in the owner's history; the head carries the newest one's. */
  readonly sequence: number;
  readonly source: string;
  readonly sourceKind: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  /** False when the source reported problems: restorable, but not all that was asked for. */
  readonly complete: boolean;
  readonly tags: readonly string[];
  readonly totals: SnapshotTotals;
  /** The stripe that holds the manifest: all that is needed to read the snapshot back from peers. */
  readonly manifest: Stripe;
}
