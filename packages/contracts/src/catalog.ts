import type { ChunkId, PartitionId, PeerId, SnapshotId } from './ids.ts';
import type { Stripe } from './partition.ts';
import type { PeerRecord } from './peer.ts';
import type { PeerProbe, ProbeWindow } from './peer-probe.ts';
import type {
  MoveNote,
  PlacementNote,
  PlacementRecord,
  PlacementTotals,
  StoredPlacement,
  SwarmView,
} from './placement-record.ts';
import type { SnapshotRecord } from './snapshot.ts';

/** Where a chunk's bytes lie: `length` bytes from `offset` of the raw (decompressed) frame. */
export interface ChunkLocation {
  readonly partition: number;
  readonly frame: number;
  readonly offset: number;
  readonly length: number;
}

/** One compressed run of chunks within a partition, as the journal must know it to build the same bytes again. */
export interface JournalFrame {
  readonly chunks: readonly { readonly id: ChunkId; readonly length: number }[];
  readonly codec: number;
}

/**
 * A partition that was sealed and placed but whose shards are not all known to be durable. With this record a later
 * run rebuilds the very same shards from the same chunks, and sends just those not yet acknowledged.
 */
export interface PartitionJournal {
  readonly stripe: Stripe;
  readonly source: string;
  readonly frames: readonly JournalFrame[];
  /**
   * The all-or-nothing key of the package, 32 bytes. It exists here only until the partition is complete: stored any
   * longer it would undo promise 2 for whoever steals the catalog and the keys.
   */
  readonly packageKey: Uint8Array;
  /** Shard indices known to be durable on their peer. */
  readonly acknowledged: readonly number[];
}

/**
 * What the owner knows. Each method is one transaction: applied whole or not at all, durable against a crash of the
 * process when it resolves; `commitSnapshot` also against loss of power. Methods may run side by side and are
 * serialised by the catalog. Repeating one has the effect of having called it once. All may fail with CATALOG_CORRUPT
 * or DISK_FULL. Results are the caller's to keep.
 */
export interface Catalog {
  // chunks
  /** In the order asked; null for unknown chunks. Only chunks of complete partitions are found. At most 10 000 ids. */
  findChunks(ids: readonly ChunkId[]): Promise<(ChunkLocation | null)[]>;

  // partitions
  /** A fresh number, never given out before, not even before a crash. `count` consecutive ones; returns the first. */
  reservePartitionNumbers(count: number): Promise<number>;
  /**
   * Before the first shard is sent. Also records the placement in the shards' holding history, and what `placement`
   * says of it. PLACEMENT_REFUSED when a peer would get two shards. ALREADY_EXISTS for a number that is taken and for an
   * id that was abandoned or stands for other content: shard keys derive from the id, so none is used twice. NOT_FOUND
   * for a view that was never recorded.
   */
  journalPartition(journal: PartitionJournal, placement?: PlacementNote): Promise<void>;
  /** Several at a time; unknown partitions and repeated indices are ignored. */
  acknowledgeShards(acks: readonly { partition: PartitionId; index: number }[]): Promise<void>;
  /**
   * Shard `index` goes to `peer` instead, before it was acknowledged (the first choice failed). Recorded in the
   * history beside the first choice: that one may have the shard all the same. The move's relaxations are added to the
   * placement's, in the place of those of the same rules (where the placement has a record). PLACEMENT_REFUSED for a
   * peer that ever held another shard of the partition, USAGE once the shard was acknowledged, NOT_FOUND.
   */
  moveJournalledShard(partition: PartitionId, index: number, peer: PeerId, move?: MoveNote): Promise<void>;
  /**
   * All shards are durable: forget the package key, make the chunks findable. A chunk that another partition has too is
   * found in this one from now on: it was stored again because the other can no longer be had. NOT_FOUND for what was
   * never journalled.
   */
  completePartition(id: PartitionId): Promise<Stripe>;
  /** Drop a journalled partition that cannot be completed; its history of holders stays, its shards become garbage. */
  abandonPartition(id: PartitionId): Promise<void>;
  journalledPartitions(): Promise<PartitionJournal[]>;
  /** Complete partitions by number; null for unknown ones. At most 10 000. */
  stripes(numbers: readonly number[]): Promise<(Stripe | null)[]>;
  /** Every peer that holds, may hold or has held a shard of the partition, with the index, newest last. */
  holders(id: PartitionId): Promise<{ index: number; peer: PeerId; since: number }[]>;

  // placements
  /** Keeps the facts and gives the number by which placements refer to them. Equal views have one number. */
  recordSwarmView(view: SwarmView): Promise<number>;
  /** By peer id. Null: there is no such view. */
  swarmView(view: number): Promise<SwarmView | null>;
  /** Journalled and complete partitions by number; null for others. At most 10 000. */
  placements(numbers: readonly number[]): Promise<(StoredPlacement | null)[]>;
  /** Of the highest partition number that has one, journalled or complete. */
  newestPlacement(): Promise<PlacementRecord | null>;
  /** The number of a partition that was ever journalled. */
  partitionNumber(id: PartitionId): Promise<number | null>;
  /** Cost independent of history where the back end can. */
  placementTotals(): Promise<PlacementTotals>;

  // snapshots
  /** The next sequence is always one above the last committed: else ALREADY_EXISTS, or USAGE for a gap. */
  commitSnapshot(snapshot: SnapshotRecord): Promise<void>;
  snapshot(id: SnapshotId): Promise<SnapshotRecord | null>;
  /** Ascending by sequence. */
  snapshots(filter?: { source?: string }): Promise<SnapshotRecord[]>;
  /** The newest head known: never goes back (a lower sequence is ignored). */
  recordHead(sequence: number, bytes: Uint8Array): Promise<void>;
  head(): Promise<{ sequence: number; bytes: Uint8Array } | null>;

  // peers
  putPeer(peer: PeerRecord): Promise<void>;
  peers(): Promise<PeerRecord[]>;
  /** A peer's good and bad moments, for `peers` and later for reputation. `count` defaults to 1. */
  countPeerEvent(peer: PeerId, event: PeerEvent, count?: number): Promise<void>;
  peerEvents(): Promise<ReadonlyMap<PeerId, Readonly<Partial<Record<PeerEvent, number>>>>>;

  /**
   * Adds to the peers' windows, and merges those that have become older than PROBE_HOURS_KEPT. Probes count: repeating
   * the call counts them again.
   */
  recordProbes(probes: readonly PeerProbe[]): Promise<void>;
  /** Windows that began at `since` (wall clock, ms) or later, by peer and time. With 0 also what was merged. */
  peerProbes(since: number): Promise<ProbeWindow[]>;

  /** Sums for `status`; cost independent of history where the back end can. */
  totals(): Promise<CatalogTotals>;
  close(): Promise<void>;
}

export const PEER_EVENTS = [
  'stored',
  'served',
  'unreachable',
  'wrong-bytes',
  'missing',
  'refused',
  'slow',
] as const;
export type PeerEvent = (typeof PEER_EVENTS)[number];

export interface CatalogTotals {
  readonly snapshots: number;
  readonly partitions: number;
  readonly chunks: number;
  readonly shards: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  readonly shardsByPeer: ReadonlyMap<PeerId, number>;
}
