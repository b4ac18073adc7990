import {
  copyInto,
  type Hash,
  HoldfastError,
  SHARD_BYTES,
  SIZE_CLASSES,
  type SizeClass,
} from '@holdfast/contracts';
import { blake3Hex, payloadCapacity, type SealingKeys, sealPayload, wipe } from '@holdfast/crypto';
import {
  finishPayload,
  PAYLOAD_HEADER_BYTES,
  PAYLOAD_INDEX_BASE_BYTES,
  PAYLOAD_INDEX_CHUNK_BYTES,
  PAYLOAD_INDEX_FRAME_BYTES,
} from '@holdfast/formats';
import { encodeFrame } from './frame-codec.ts';
import type {
  ChunkEntry,
  FramePart,
  FramePlacement,
  ResealRequest,
  SealedFrame,
  SealReport,
  StripeCode,
  StripeIdentity,
  StripeState,
} from './protocol.ts';
import type { ThreadArenas } from './thread-arenas.ts';

/** Part of a frame goes into the rest of a stripe from this many raw bytes on. */
const MIN_PART_BYTES = 64 * 1024;
/** Chunks that were compressed a little less well than those before them should still fit. */
const ESTIMATE_MARGIN = 1.02;

interface OpenStripe {
  readonly identity: StripeIdentity;
  readonly arena: number;
  readonly payload: Uint8Array;
  readonly frames: SealedFrame[];
  used: number;
  /** Upper bound of the encoded index. */
  indexBytes: number;
}

export interface StripeBuilderOptions {
  readonly arenas: ThreadArenas;
  readonly keys: SealingKeys;
  readonly code: StripeCode;
  readonly compressionLevel: number;
  /** Next unused identity; waits until the main thread has supplied one. */
  readonly identity: () => Promise<StripeIdentity>;
  /** The open stripe is about to be sealed; `parts` of the frame that is being added are in their place for good. */
  readonly closing: (sizeClass: SizeClass, parts: readonly FramePart[]) => void;
  /** What was closing. */
  readonly sealed: (report: SealReport) => void;
}

/**
 * Fills one payload after the other with compressed frames and seals each when the next frame no longer fits:
 * all-or-nothing transform, AES-256-GCM per primary shard, Reed–Solomon parity, hashes. All in the arena's memory.
 */
export class StripeBuilder {
  readonly #options: StripeBuilderOptions;
  #open: OpenStripe | null = null;
  /** Of its raw length, what the latest frame came to. */
  #share = 1;

  constructor(options: StripeBuilderOptions) {
    this.#options = options;
  }

  /**
   * Goes on with a stripe that another thread was filling. Was it sealing it, then that is done again, without a change:
   * nothing else may ever be sealed under its id. The same payload gives the same bytes.
   */
  adopt({ identity, arena, frames, closing }: StripeState): void {
    const stripe = this.#lay(identity, arena);
    for (const frame of frames) extend(stripe, frame);
    if (closing === null) this.#open = stripe;
    else this.#options.sealed(this.#finish(stripe, closing));
  }

  /**
   * Compresses the chunks, whose bytes `raw` is, into the open stripe and, where it takes only some of them, the next.
   *
   * @param done those of the first chunks that have their place.
   */
  async add(
    raw: Uint8Array,
    chunks: readonly ChunkEntry[],
    blockHashes: Uint8Array,
    done: readonly FramePart[],
  ): Promise<FramePlacement> {
    const parts = [...done];
    let first = parts.reduce((sum, part) => sum + part.chunks, 0);
    for (let at = rawLength(chunks.slice(0, first)); first < chunks.length; ) {
      const stripe = this.#open ?? (await this.#start());
      const rest = first === 0 ? chunks : chunks.slice(first);
      const part = this.#appendSome(stripe, raw.subarray(at), rest);
      if (part) {
        parts.push(part);
        first += part.chunks;
        at += rawLength(rest.slice(0, part.chunks));
      } else if (stripe.frames.length > 0) this.#seal(stripe, SHARD_BYTES, parts);
      else {
        throw new HoldfastError('INTERNAL', `A chunk of ${rest[0]!.length} bytes exceeds a whole partition.`);
      }
    }
    return { parts, blockHashes };
  }

  /** Appends as many of the first chunks as fit, as one frame. Null when none do. */
  #appendSome(stripe: OpenStripe, raw: Uint8Array, chunks: readonly ChunkEntry[]): FramePart | null {
    const empty = stripe.frames.length === 0;
    let count = empty ? chunks.length : howManyFit(stripe, chunks, this.#share);
    // At first by how well the frame before was compressed, then, should that mislead, by how well this one was.
    for (let attempt = 0; attempt < 2 && count > 0; attempt++) {
      const taken = count === chunks.length ? chunks : chunks.slice(0, count);
      const length = rawLength(taken);
      const { codec, bytes } = encodeFrame(raw.subarray(0, length), this.#options.compressionLevel);
      const frame = { codec, rawLength: length, storedLength: bytes.length, chunks: taken };
      this.#share = bytes.length / length;
      if (fits(stripe, frame)) {
        append(stripe, frame, bytes);
        const { identity, arena, frames } = stripe;
        return {
          partition: identity.number,
          frame: frames.length - 1,
          chunks: count,
          arena,
          codec,
          storedLength: bytes.length,
        };
      }
      count = Math.min(count - 1, howManyFit(stripe, chunks, this.#share));
    }
    return null;
  }

  /** Seals what is open, in the smallest size class that holds it. */
  flush(): void {
    if (this.#open) this.#seal(this.#open, smallestClass(this.#open, this.#options.code.k), []);
  }

  /**
   * Builds a journalled stripe again. Same chunks, package key and compressor give the same shards; whether they do
   * is for the caller to compare, since another level or zstd version may compress differently. HASH_MISMATCH when it
   * comes out too large.
   */
  async reseal(request: ResealRequest): Promise<SealReport> {
    const stripe = await this.#begin(request.identity, request.sizeClass);
    for (const { raw, codec, chunks } of request.frames) {
      const bytes = Buffer.from(raw);
      const encoded =
        codec === 0 ? { codec: 0 as const, bytes } : encodeFrame(bytes, this.#options.compressionLevel);
      const frame = {
        codec: encoded.codec,
        rawLength: bytes.length,
        storedLength: encoded.bytes.length,
        chunks,
      };
      if (!fits(stripe, frame)) {
        this.#options.arenas.release(stripe.arena);
        throw new HoldfastError(
          'HASH_MISMATCH',
          'A journalled partition no longer fits when compressed again.',
        );
      }
      append(stripe, frame, encoded.bytes);
    }
    return this.#finish(stripe, request.sizeClass);
  }

  async #start(): Promise<OpenStripe> {
    this.#open = await this.#begin(await this.#options.identity());
    return this.#open;
  }

  async #begin(identity: StripeIdentity, sizeClass: SizeClass = SHARD_BYTES): Promise<OpenStripe> {
    return this.#lay(identity, await this.#options.arenas.take(), sizeClass);
  }

  #lay(identity: StripeIdentity, arena: number, sizeClass: SizeClass = SHARD_BYTES): OpenStripe {
    const { arenas, code } = this.#options;
    return {
      identity,
      arena,
      payload: arenas.get(arena).scratch.subarray(0, payloadCapacity(code.k, sizeClass)),
      frames: [],
      used: PAYLOAD_HEADER_BYTES,
      indexBytes: PAYLOAD_INDEX_BASE_BYTES,
    };
  }

  #seal(stripe: OpenStripe, sizeClass: SizeClass, parts: readonly FramePart[]): void {
    const { closing, sealed } = this.#options;
    this.#open = null;
    closing(sizeClass, parts);
    sealed(this.#finish(stripe, sizeClass));
  }

  #finish(stripe: OpenStripe, sizeClass: SizeClass): SealReport {
    const { arenas, code } = this.#options;
    const { k, m } = code;
    const payload = stripe.payload.subarray(0, payloadCapacity(k, sizeClass));
    const size = finishPayload(payload, stripe.frames);
    const arena = arenas.get(stripe.arena);
    const shards = Array.from({ length: k + m }, (_, i) => arena.shard(i, sizeClass));
    const checksum = this.#sealShards(stripe.identity, payload, size, shards.slice(0, k));
    arena.encode({ ...code, bytes: sizeClass });
    const hashes = shards.map((shard) => blake3Hex(shard));
    const rawSize = stripe.frames.reduce((sum, frame) => sum + frame.rawLength, 0);
    return { arena: stripe.arena, sizeClass, size, rawSize, checksum, hashes };
  }

  #sealShards(
    { epoch, id, packageKey }: StripeIdentity,
    payload: Uint8Array,
    size: number,
    shards: readonly Uint8Array[],
  ): Hash {
    const partition = this.#options.keys.partition(epoch, id);
    let shardKeys: Uint8Array[] = [];
    try {
      shardKeys = partition.shardKeys(shards.length);
      return sealPayload({ payload, size, packageKey, shardKeys, shards }).checksum;
    } finally {
      // Should this thread die yet, another gets the main thread's copy of the package key.
      wipe(packageKey, ...shardKeys);
      partition.destroy();
    }
  }
}

function append(stripe: OpenStripe, frame: SealedFrame, bytes: Uint8Array): void {
  copyInto(stripe.payload, stripe.used, bytes);
  extend(stripe, frame);
}

/** The frame's bytes stand where the payload ended. */
function extend(stripe: OpenStripe, frame: SealedFrame): void {
  stripe.used += frame.storedLength;
  stripe.indexBytes += indexBytes(frame);
  stripe.frames.push(frame);
}

const fits = (stripe: OpenStripe, frame: SealedFrame): boolean =>
  stripe.used + frame.storedLength + stripe.indexBytes + indexBytes(frame) <= stripe.payload.length;

/**
 * How many of the first chunks probably fit, if they compress to this share. A few bytes at the end of a stripe are better left
 * empty than filled with a frame too short to compress well.
 */
function howManyFit(stripe: OpenStripe, chunks: readonly ChunkEntry[], share: number): number {
  let room = stripe.payload.length - stripe.used - stripe.indexBytes - PAYLOAD_INDEX_FRAME_BYTES;
  let raw = 0;
  for (const [count, { length }] of chunks.entries()) {
    room -= length * share * ESTIMATE_MARGIN + PAYLOAD_INDEX_CHUNK_BYTES;
    if (room < 0) return raw < MIN_PART_BYTES ? 0 : count;
    raw += length;
  }
  return chunks.length;
}

const rawLength = (chunks: readonly ChunkEntry[]): number =>
  chunks.reduce((sum, { length }) => sum + length, 0);

const indexBytes = (frame: SealedFrame): number =>
  PAYLOAD_INDEX_FRAME_BYTES + frame.chunks.length * PAYLOAD_INDEX_CHUNK_BYTES;

const smallestClass = (stripe: OpenStripe, k: number): SizeClass =>
  SIZE_CLASSES.find((size) => payloadCapacity(k, size) >= stripe.used + stripe.indexBytes) ?? SHARD_BYTES;
