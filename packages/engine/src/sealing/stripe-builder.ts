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
import type { FramePlacement, ResealRequest, SealedFrame, SealedStripe, StripeIdentity } from './protocol.ts';

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

  constructor(options: StripeBuilderOptions) {
    this.#options = options;
  }

  async add(
    raw: Uint8Array,
    chunks: SealedFrame['chunks'],
    blockHashes: Uint8Array,
  ): Promise<FramePlacement> {
    const encoded = encodeFrame(raw, this.#options.compressionLevel);
    const frame: SealedFrame = {
      codec: encoded.codec,
      rawLength: raw.length,
      storedLength: encoded.bytes.length,
      chunks,
    };
    let stripe = this.#open ?? (await this.#start());
    if (!fits(stripe, frame)) {
      this.#seal(stripe, SHARD_BYTES);
      stripe = await this.#start();
      if (!fits(stripe, frame)) {
        throw new HoldfastError(
          'INTERNAL',
          `A frame of ${frame.storedLength} bytes exceeds a whole partition.`,
        );
      }
    }
    append(stripe, frame, encoded.bytes);
    return { partition: stripe.identity.number, frame: stripe.frames.length - 1, blockHashes };
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

const indexBytes = (frame: SealedFrame): number =>
  PAYLOAD_INDEX_FRAME_BYTES + frame.chunks.length * PAYLOAD_INDEX_CHUNK_BYTES;

const smallestClass = (stripe: OpenStripe, k: number): SizeClass =>
  SIZE_CLASSES.find((size) => payloadCapacity(k, size) >= stripe.used + stripe.indexBytes) ?? SHARD_BYTES;
