import type { ChunkId, Hash, PartitionId, PartitionLabel, SizeClass, Stripe } from '@holdfast/contracts';
import type { ArenaSize } from '@holdfast/erasure';
import type { WorkerFailure } from './worker-failure.ts';

/** What passes between the main thread and a sealing worker. Bytes stay in shared memory; only descriptions travel. */

/** How a stripe is cut and coded. */
export type StripeCode = Pick<Stripe, 'k' | 'm' | 'helpers'>;

export interface WorkerInit {
  /** One 32-bit word; no longer 0: nobody waits for the results of what is still queued. */
  readonly closing: SharedArrayBuffer;
  readonly slabs: readonly SharedArrayBuffer[];
  /** What a worker needs to derive shard keys; its own copy, which goes when its thread ends. */
  readonly sealingKeys: Uint8Array;
  /** Keyed-hash key for chunk and block hashes. */
  readonly chunkIdKey: Uint8Array;
  readonly code: StripeCode;
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
  /** Frames of different labels are kept apart by whoever gives them: by a flush in between. */
  readonly label: PartitionLabel | null;
}

export interface SealedFrame {
  readonly codec: 0 | 1;
  readonly rawLength: number;
  readonly storedLength: number;
  readonly chunks: readonly ChunkEntry[];
}

/** An arena's memory, which outlives any thread that works in it. */
export interface SharedArena {
  readonly index: number;
  readonly memory: WebAssembly.Memory;
  readonly size: ArenaSize;
}

export interface ArenaReference {
  readonly index: number;
  readonly memory: SharedArrayBuffer;
  /** Byte offset of each shard's slot. */
  readonly slots: readonly number[];
}

/** A stripe that is being filled. With its arena's memory that is all there is to it: any thread can go on with it. */
export interface StripeState {
  readonly identity: StripeIdentity;
  readonly arena: number;
  /** They stand in the arena's payload, back to back. */
  readonly frames: readonly SealedFrame[];
  readonly label: PartitionLabel | null;
  /** Not null: sealing has begun, and nothing may be added any more. */
  readonly closing: SizeClass | null;
}

/** What sealing came to. The main thread knows the rest. */
export interface SealReport {
  readonly arena: number;
  readonly sizeClass: SizeClass;
  readonly size: number;
  readonly rawSize: number;
  readonly checksum: Hash;
  readonly hashes: readonly Hash[];
}

/** A stripe as it lies in its arena: n shards ready to be sent from there. */
export interface SealedStripe extends Omit<SealReport, 'arena'>, StripeCode {
  readonly identity: StripeIdentity;
  /** Of its frames; null also for what an earlier run had made of them. */
  readonly label: PartitionLabel | null;
  readonly frames: readonly { readonly codec: number; readonly chunks: readonly ChunkEntry[] }[];
  readonly arena: ArenaReference;
}

export interface OpenRequest extends StripeCode {
  /** Names the opened payload from now on; never used twice. */
  readonly handle: number;
  readonly arena: number;
  readonly id: PartitionId;
  readonly epoch: number;
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

/** Shards from whole others, or one shard from parts of others. */
export type RebuildFrom =
  | { readonly present: readonly number[]; readonly wanted: readonly number[] }
  | { readonly lost: number; readonly from: readonly number[] };

export interface RebuildRequest {
  readonly arena: number;
  /** For messages. */
  readonly id: PartitionId;
  readonly code: StripeCode;
  readonly sizeClass: SizeClass;
  readonly how: RebuildFrom;
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
  /** From now on this is the arena of that index. */
  | { readonly type: 'arena'; readonly arena: SharedArena }
  /** A stripe may be made in it. */
  | { readonly type: 'release'; readonly arena: number }
  | { readonly type: 'identity'; readonly identity: StripeIdentity }
  /** Before any frame: what another thread has left unfinished. */
  | { readonly type: 'adopt'; readonly stripe: StripeState }
  | {
      readonly type: 'frame';
      readonly ticket: number;
      readonly frame: FrameInput;
      /** What of it another thread has put in its place. */
      readonly done: readonly FramePart[];
    }
  | { readonly type: 'flush'; readonly ticket: number }
  | { readonly type: 'reseal'; readonly ticket: number; readonly request: ResealRequest }
  | { readonly type: 'rebuild'; readonly ticket: number; readonly request: RebuildRequest }
  | { readonly type: 'open'; readonly ticket: number; readonly request: OpenRequest }
  /** Another thread has opened it. */
  | { readonly type: 'reopen'; readonly request: OpenRequest }
  | { readonly type: 'inflate'; readonly ticket: number; readonly request: InflateRequest }
  | { readonly type: 'forget'; readonly handle: number }
  /** The last one: the thread ends. */
  | { readonly type: 'close' };

/** The messages that are answered, but for what each thread is told anew. */
export type JobRequest = ToWorker extends infer M
  ? M extends { ticket: number }
    ? Omit<M, 'ticket' | 'done'>
    : never
  : never;

/** Some of a frame's chunks, as a frame of their own in one stripe. */
export interface FramePart {
  readonly partition: number;
  readonly frame: number;
  /** How many chunks, following those of the parts before. */
  readonly chunks: number;
  /** The stripe's. */
  readonly arena: number;
  readonly codec: 0 | 1;
  readonly storedLength: number;
}

/** Where the chunks of a frame landed, known before their stripes are sealed. */
export interface FramePlacement {
  /** More than one where the open stripe had room for some chunks only. */
  readonly parts: readonly FramePart[];
  /** 16 bytes a block; empty when no block hashes were asked for. */
  readonly blockHashes: Uint8Array;
}

/**
 * In the order of what happened, and before anything is built on it: a thread that dies has told of all that matters.
 */
export type FromWorker =
  /** It has started, and takes messages. */
  | { readonly type: 'ready' }
  | { readonly type: 'result'; readonly ticket: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly ticket: number; readonly error: WorkerFailure }
  /** The open stripe is about to be sealed; that job has come so far. */
  | {
      readonly type: 'closing';
      readonly ticket: number;
      readonly parts: readonly FramePart[];
      readonly sizeClass: SizeClass;
    }
  /** The stripe that was closing. */
  | { readonly type: 'sealed'; readonly report: SealReport };
