import { type Hash, HoldfastError, SHARD_BYTES, SIZE_CLASSES, type SizeClass } from '@holdfast/contracts';
import { blake3Hex, payloadCapacity, type SealingKeys, sealPayload, wipe } from '@holdfast/crypto';
import {
  finishPayload,
  PAYLOAD_HEADER_BYTES,
  PAYLOAD_INDEX_BASE_BYTES,
  PAYLOAD_INDEX_CHUNK_BYTES,
  PAYLOAD_INDEX_FRAME_BYTES,
} from '@holdfast/formats';
import type { ArenaSet } from './arena-set.ts';
import { encodeFrame } from './frame-codec.ts';
import type {
  ChunkEntry,
  FramePart,
  FramePlacement,
  ResealRequest,
  SealedFrame,
  SealedStripe,
  StripeIdentity,
} from './protocol.ts';

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
  readonly arenas: ArenaSet;
  readonly keys: SealingKeys;
  readonly k: number;
  readonly m: number;
  readonly compressionLevel: number;
  /** Next unused identity; waits until the main thread has supplied one. */
  readonly identity: () => Promise<StripeIdentity>;
  readonly sealed: (stripe: SealedStripe) => void;
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

  /** Compresses the chunks, whose bytes `raw` is, into the open stripe and, where it takes only some of them, the next. */
  async add(
    raw: Uint8Array,
    chunks: readonly ChunkEntry[],
    blockHashes: Uint8Array,
  ): Promise<FramePlacement> {
    const parts: FramePart[] = [];
    for (let [at, first] = [0, 0]; first < chunks.length; ) {
      const stripe = this.#open ?? (await this.#start());
      const rest = first === 0 ? chunks : chunks.slice(first);
      const count = this.#appendSome(stripe, raw.subarray(at), rest);
      if (count > 0) {
        parts.push({ partition: stripe.identity.number, frame: stripe.frames.length - 1, chunks: count });
        first += count;
        at += rawLength(rest.slice(0, count));
      } else if (stripe.frames.length > 0) this.#seal(stripe, SHARD_BYTES);
      else {
        throw new HoldfastError('INTERNAL', `A chunk of ${rest[0]!.length} bytes exceeds a whole partition.`);
      }
    }
    return { parts, blockHashes };
  }

  /** Appends as many of the first chunks as fit, as one frame. How many. */
  #appendSome(stripe: OpenStripe, raw: Uint8Array, chunks: readonly ChunkEntry[]): number {
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
        return count;
      }
      count = Math.min(count - 1, howManyFit(stripe, chunks, this.#share));
    }
    return 0;
  }

  /** Seals what is open, in the smallest size class that holds it. */
  flush(): void {
    if (this.#open) this.#seal(this.#open, smallestClass(this.#open, this.#options.k));
  }

  /**
   * Builds a journalled stripe again. Same chunks, package key and compressor give the same shards; whether they do
   * is for the caller to compare, since another level or zstd version may compress differently. HASH_MISMATCH when it
   * comes out too large.
   */
  async reseal(request: ResealRequest): Promise<void> {
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
    this.#finish(stripe, request.sizeClass);
  }

  async #start(): Promise<OpenStripe> {
    this.#open = await this.#begin(await this.#options.identity());
    return this.#open;
  }

  async #begin(identity: StripeIdentity, sizeClass: SizeClass = SHARD_BYTES): Promise<OpenStripe> {
    const { arenas, k, m } = this.#options;
    const arena = await arenas.take(k + m, k);
    const payload = arenas.get(arena).scratch.subarray(0, payloadCapacity(k, sizeClass));
    return {
      identity,
      arena,
      payload,
      frames: [],
      used: PAYLOAD_HEADER_BYTES,
      indexBytes: PAYLOAD_INDEX_BASE_BYTES,
    };
  }

  #seal(stripe: OpenStripe, sizeClass: SizeClass): void {
    this.#open = null;
    this.#finish(stripe, sizeClass);
  }

  #finish(stripe: OpenStripe, sizeClass: SizeClass): void {
    const { arenas, keys, k, m, sealed } = this.#options;
    const { identity } = stripe;
    const payload = stripe.payload.subarray(0, payloadCapacity(k, sizeClass));
    const size = finishPayload(payload, stripe.frames);
    const arena = arenas.get(stripe.arena);
    const partition = keys.partition(identity.epoch, identity.id);
    const shardKeys = partition.shardKeys(k);
    const { checksum } = sealPayload({
      payload,
      size,
      packageKey: identity.packageKey,
      shardKeys,
      shards: Array.from({ length: k }, (_, i) => arena.shard(i, sizeClass)),
    });
    wipe(...shardKeys);
    partition.destroy();
    arena.encode({ k, m, bytes: sizeClass });
    const hashes: Hash[] = [];
    for (let i = 0; i < k + m; i++) hashes.push(blake3Hex(arena.shard(i, sizeClass)));
    sealed({
      identity,
      k,
      m,
      sizeClass,
      size,
      rawSize: stripe.frames.reduce((sum, frame) => sum + frame.rawLength, 0),
      checksum,
      frames: stripe.frames,
      hashes,
      arena: arenas.reference(stripe.arena),
    });
  }
}

function append(stripe: OpenStripe, frame: SealedFrame, bytes: Uint8Array): void {
  stripe.payload.set(bytes, stripe.used);
  stripe.used += bytes.length;
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
