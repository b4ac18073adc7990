import type { ChunkId, Hash, PartitionId, SizeClass } from '@holdfast/contracts';

/** What passes between the main thread and a sealing worker. Bytes stay in shared memory; only descriptions travel. */

export interface WorkerInit {
  /** One 32-bit word; no longer 0: nobody waits for the results of what is still queued. */
  readonly closing: SharedArrayBuffer;
  readonly slabs: readonly SharedArrayBuffer[];
  /** What a worker needs to derive shard keys; its own copy, which goes when its thread ends. */
  readonly sealingKeys: Uint8Array;
  /** Keyed-hash key for chunk and block hashes. */
  readonly chunkIdKey: Uint8Array;
  readonly k: number;
  readonly m: number;
  readonly arenas: number;
  readonly compressionLevel: number;
}

/** Given out in advance, so that a worker can start a new stripe without asking. */
export interface StripeIdentity {
  readonly id: PartitionId;
  readonly number: number;
  readonly epoch: number;
  readonly packageKey: Uint8Array;
}

export interface FramePiece {
  readonly slab: number;
  readonly offset: number;
  readonly length: number;
}

export interface ChunkEntry {
  readonly id: ChunkId;
  readonly length: number;
}

/** Chunks to compress together; `pieces[i]` is where `chunks[i]` lies. */
export interface FrameInput {
  readonly pieces: readonly FramePiece[];
  readonly chunks: readonly ChunkEntry[];
  /** Above 0: also hash each block of this many bytes, for the next snapshot's comparison. */
  readonly blockBytes: number;
}

export interface SealedFrame {
  readonly codec: 0 | 1;
  readonly rawLength: number;
  readonly storedLength: number;
  readonly chunks: readonly ChunkEntry[];
}

/** A stripe as it lies in a worker's arena: n shards ready to be sent from there. */
export interface SealedStripe {
  readonly identity: StripeIdentity;
  readonly k: number;
  readonly m: number;
  readonly sizeClass: SizeClass;
  readonly size: number;
  readonly rawSize: number;
  readonly checksum: Hash;
  readonly frames: readonly SealedFrame[];
  readonly hashes: readonly Hash[];
  readonly arena: ArenaReference;
}

export interface ArenaReference {
  readonly index: number;
  readonly memory: SharedArrayBuffer;
  /** Byte offset of each shard's slot. */
  readonly slots: readonly number[];
}

export interface OpenRequest {
  /** Names the opened payload from now on; never used twice. */
  readonly handle: number;
  readonly arena: number;
  readonly id: PartitionId;
  readonly epoch: number;
  readonly k: number;
  readonly m: number;
  readonly sizeClass: SizeClass;
  readonly size: number;
  readonly checksum: Hash;
  /** Slots that hold verified shards; at least k. */
  readonly present: readonly number[];
  /** Where the payload goes; at least its capacity. It stays with the worker until `forget`. */
  readonly payload: SharedArrayBuffer;
}

export interface InflateRequest {
  readonly handle: number;
  readonly frame: number;
  /** Where the raw bytes go if they fit; null to check them only. */
  readonly into: SharedArrayBuffer | null;
}

export interface ResealRequest {
  readonly identity: StripeIdentity;
  readonly sizeClass: SizeClass;
  readonly frames: readonly {
    readonly raw: SharedArrayBuffer;
    readonly codec: number;
    readonly chunks: readonly ChunkEntry[];
  }[];
}

export type ToWorker =
  | { readonly type: 'identity'; readonly identity: StripeIdentity }
  | { readonly type: 'frame'; readonly ticket: number; readonly frame: FrameInput }
  | { readonly type: 'flush'; readonly ticket: number }
  | { readonly type: 'reseal'; readonly ticket: number; readonly request: ResealRequest }
  | { readonly type: 'borrow'; readonly ticket: number; readonly shards: number; readonly k: number }
  | { readonly type: 'release'; readonly arena: number }
  | { readonly type: 'open'; readonly ticket: number; readonly request: OpenRequest }
  | { readonly type: 'inflate'; readonly ticket: number; readonly request: InflateRequest }
  | { readonly type: 'forget'; readonly handle: number }
  /** The last one: the thread ends. */
  | { readonly type: 'close' };

/** Some of a frame's chunks, as a frame of their own in one stripe. */
export interface FramePart {
  readonly partition: number;
  readonly frame: number;
  /** How many chunks, following those of the parts before. */
  readonly chunks: number;
}

/** Where the chunks of a frame landed, known before their stripes are sealed. */
export interface FramePlacement {
  /** More than one where the open stripe had room for some chunks only. */
  readonly parts: readonly FramePart[];
  /** 16 bytes a block; empty when no block hashes were asked for. */
  readonly blockHashes: Uint8Array;
}

export type FromWorker =
  | { readonly type: 'result'; readonly ticket: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly ticket: number; readonly error: WorkerFailure }
  | { readonly type: 'sealed'; readonly stripe: SealedStripe };

/** Errors as data: structured clone keeps neither classes nor codes. */
export interface WorkerFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly stack: string | undefined;
}
