import type {
  Attributes,
  Catalog,
  Clock,
  ErrorCode,
  OwnerId,
  PartitionId,
  PeerId,
  Random,
  ShardTransport,
  Sink,
  SnapshotId,
  SnapshotRecord,
  Source,
  SourceProblem,
  Stripe,
} from '@holdfast/contracts';
import type { VaultKeys } from '@holdfast/crypto';
import type { ModeSettings, PlacementSettings } from '@holdfast/placement';

/** How data is cut, coded and placed. A snapshot records the policy it was made under. */
export interface Policy {
  readonly version: number;
  readonly k: number;
  readonly m: number;
  /** 0: plain Reed–Solomon. Else a Clay code that rebuilds a shard from parts of so many others. */
  readonly helpers: number;
  /** Most shards of one partition on one operator's peers; never above k − 1. */
  readonly maxPerOperator: number;
  /** zstd level, 1 … 19; 0 stores without compressing. */
  readonly compressionLevel: number;
  /** How long peers are asked to keep a shard. */
  readonly leaseDays: number;
  /** Default: the design document's figures for every rule. */
  readonly placement?: PlacementPolicies | undefined;
}

/** The rules by which shards are placed. */
export interface PlacementPolicy {
  readonly version: number;
  readonly settings: PlacementSettings;
  readonly mode: ModeSettings;
  /** Counted up, it draws other peers for new partitions. */
  readonly saltEpoch: number;
}

export interface PlacementPolicies {
  /** Of the policy's own version and `maxPerOperator`. */
  readonly current: PlacementPolicy;
  /** While set, only so many new snapshots in a hundred are placed under `current`, the others under `previous`. */
  readonly rollout?: { readonly percent: number; readonly previous: PlacementPolicy } | undefined;
  /** What else than its operator a peer shares with others: networks, buildings, jurisdictions. */
  readonly failureDomains?: ReadonlyMap<PeerId, readonly string[]> | undefined;
}

/** What the engine needs from outside; everything here outlives it and is closed by whoever made it. */
export interface EngineContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly catalog: Catalog;
  readonly transport: ShardTransport;
  readonly keys: VaultKeys;
  readonly owner: OwnerId;
  readonly policy: Policy;
  /** Private directory for caches that make the next backup faster; losing it costs time only. */
  readonly cacheDirectory: string;
  /** Worker threads for compressing, sealing and coding; default one per core. */
  readonly workers?: number;
}

export type Phase = 'prepare' | 'resume' | 'transfer' | 'manifest' | 'finish';

export interface Progress {
  readonly phase: Phase;
  /** Bytes of content read (backup), written (restore) or checked (verify). */
  readonly bytes: number;
  /** Expected in all; null when unknown. */
  readonly totalBytes: number | null;
  readonly objects: number;
  readonly totalObjects: number | null;
  /** Bytes sent to or received from peers. */
  readonly transferredBytes: number;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /** Called at most ten times a second, and once at the end of each phase. Must not throw. */
  readonly onProgress?: (progress: Progress) => void;
  /** One call for each thing worth telling while it happens (a peer that sent wrong bytes, a shard moved). */
  readonly onEvent?: (event: EngineEvent) => void;
}

export type EngineEvent =
  | {
      readonly type: 'peer-failed';
      readonly peer: PeerId;
      readonly code: ErrorCode;
      readonly message: string;
    }
  | {
      readonly type: 'wrong-bytes';
      readonly peer: PeerId;
      readonly partition: PartitionId;
      readonly index: number;
    }
  | {
      readonly type: 'shard-missing';
      readonly peer: PeerId;
      readonly partition: PartitionId;
      readonly index: number;
    }
  | {
      readonly type: 'shard-moved';
      readonly partition: PartitionId;
      readonly index: number;
      readonly from: PeerId;
      readonly to: PeerId;
    }
  | { readonly type: 'resumed'; readonly partitions: number; readonly shardsAlreadyStored: number }
  | {
      readonly type: 'placement-relaxed';
      readonly partition: PartitionId;
      readonly rule: string;
      readonly reason: string;
    }
  /** A sealing thread died; another goes on in its place. */
  | { readonly type: 'worker-restarted'; readonly job: string; readonly reason: string };

export interface BackupRequest extends RunOptions {
  /** The configured name; snapshots of one name form a history. */
  readonly name: string;
  readonly source: Source;
  readonly tags?: readonly string[];
  /** Read everything, even objects whose fingerprint says that they did not change. */
  readonly reread?: boolean;
}

export interface BackupReport {
  readonly snapshot: SnapshotRecord;
  readonly problems: readonly SourceProblem[];
  /** Content bytes actually read; the rest was known to be unchanged. */
  readonly readBytes: number;
  readonly reusedChunks: number;
  readonly newChunks: number;
  readonly shardsSent: number;
  readonly shardsResumed: number;
  /** Shards of reused partitions that their peers, though reachable, no longer have. */
  readonly missingShards: number;
  readonly seconds: number;
  /** Peers that hold the new head. */
  readonly headPeers: number;
  readonly placements: PlacementCounts;
}

/** How choosing peers for new partitions went. */
export interface PlacementCounts {
  readonly placed: number;
  /** Of these, how many took the first order of peers that was tried. At random, 95 % should where there are peers enough. */
  readonly firstAttempt: number;
}

export interface RestoreRequest extends RunOptions {
  readonly snapshot: SnapshotId;
  readonly sink: Sink;
  /** Default: everything. What is left out is not fetched, and the sink does not hear of it. */
  readonly select?: (object: SnapshotObject) => Selection;
}

/** Bytes `from` to `to` of an object's content: the sink gets them as if they were all of it. */
export type Selection = boolean | { readonly from: number; readonly to: number };

export interface PeerFault {
  readonly peer: PeerId;
  readonly wrongBytes: number;
  readonly missing: number;
  readonly unreachable: number;
}

export interface RestoreReport {
  readonly snapshot: SnapshotId;
  readonly objects: number;
  readonly bytes: number;
  readonly partitions: number;
  /** Partitions that had to be decoded from parity. */
  readonly decoded: number;
  readonly fetchedBytes: number;
  readonly faults: readonly PeerFault[];
  readonly seconds: number;
}

export interface VerifyRequest extends RunOptions {
  /** Default: every snapshot. */
  readonly snapshot?: SnapshotId;
  /** Fraction of partitions to fetch whole and check shard by shard; 1 is everything. The choice is random. */
  readonly sample: number;
}

export interface PartitionHealth {
  readonly partition: PartitionId;
  readonly number: number;
  readonly k: number;
  readonly m: number;
  /** Good shards − k; below 0 the partition is lost for now. */
  readonly margin: number;
  readonly bad: readonly {
    readonly index: number;
    readonly peer: PeerId;
    readonly problem: 'wrong-bytes' | 'missing' | 'unreachable';
  }[];
}

export interface VerifyReport {
  readonly snapshots: readonly SnapshotId[];
  readonly partitions: number;
  readonly checkedPartitions: number;
  readonly checkedShards: number;
  readonly checkedBytes: number;
  /** Only partitions with something wrong. */
  readonly damaged: readonly PartitionHealth[];
  readonly lost: readonly { readonly partition: PartitionId; readonly snapshots: readonly SnapshotId[] }[];
  readonly faults: readonly PeerFault[];
  readonly seconds: number;
  /** No partition that was checked is lost. */
  readonly restorable: boolean;
  /** Nothing wrong at all. */
  readonly healthy: boolean;
}

export interface RepairRequest extends RunOptions {
  /** Default: every snapshot. */
  readonly snapshot?: SnapshotId;
  /** Fetch and check every shard, instead of asking peers what they have: finds also what has rotted. */
  readonly read: boolean;
}

/** A shard that was made again, and that its peer did not take back. */
export interface UnrepairedShard {
  readonly partition: PartitionId;
  readonly number: number;
  readonly index: number;
  readonly peer: PeerId;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface RepairReport {
  readonly snapshots: readonly SnapshotId[];
  readonly partitions: number;
  /** Those that lacked shards with peers that answer. */
  readonly damagedPartitions: number;
  readonly repairedShards: number;
  /** Of these, made from parts of other shards. */
  readonly repairedFromParts: number;
  readonly repairedBytes: number;
  /** What was fetched of other shards to make them. */
  readonly fetchedBytes: number;
  /** Of peers that did not answer: left as they are. */
  readonly unreachableShards: number;
  readonly failed: readonly UnrepairedShard[];
  /** Partitions with too few shards for now. */
  readonly lost: readonly { readonly partition: PartitionId; readonly snapshots: readonly SnapshotId[] }[];
  readonly faults: readonly PeerFault[];
  readonly seconds: number;
}

export interface SnapshotObject {
  readonly path: Uint8Array;
  readonly kind: string;
  readonly attributes: Attributes;
  /** Of the content, in bytes; 0 without. */
  readonly size: number;
}

/** The one door to the engine for the command line, the daemon and the benchmarks. */
export interface Engine {
  backup(request: BackupRequest): Promise<BackupReport>;
  restore(request: RestoreRequest): Promise<RestoreReport>;
  verify(request: VerifyRequest): Promise<VerifyReport>;
  /** Makes shards again that peers have lost, and gives them back to these peers. */
  repair(request: RepairRequest): Promise<RepairReport>;
  /** Reads the snapshot's manifest from peers, checks it, and lists its objects in order. */
  objects(snapshot: SnapshotId, options?: RunOptions): AsyncIterable<SnapshotObject>;
  /** All partitions that the snapshot needs, manifest and metadata included. */
  partitions(snapshot: SnapshotId, options?: RunOptions): Promise<Stripe[]>;
  /** Ends worker threads. */
  close(): Promise<void>;
}
