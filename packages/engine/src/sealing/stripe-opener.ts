import { HoldfastError, type PartitionId } from '@holdfast/contracts';
import { blake3Hex, openPayload, payloadCapacity, type SealingKeys, wipe } from '@holdfast/crypto';
import { readPayload } from '@holdfast/formats';
import { chunkId } from './chunk-id.ts';
import { decodeFrame } from './frame-codec.ts';
import type { InflateRequest, OpenRequest, SealedFrame } from './protocol.ts';
import type { ThreadArenas } from './thread-arenas.ts';

type OpenedFrame = SealedFrame & { readonly start: number };

interface OpenedPayload {
  readonly id: PartitionId;
  readonly payload: SharedArrayBuffer;
  readonly frames: readonly OpenedFrame[];
}

/** A worker's opened partitions: their frame tables stay here, so that asking for a frame is a few bytes. */
export class StripeOpener {
  readonly #arenas: ThreadArenas;
  readonly #keys: SealingKeys;
  readonly #chunkIdKey: Uint8Array;
  readonly #opened = new Map<number, OpenedPayload>();

  constructor(arenas: ThreadArenas, keys: SealingKeys, chunkIdKey: Uint8Array) {
    this.#arenas = arenas;
    this.#keys = keys;
    this.#chunkIdKey = chunkIdKey;
  }

  /** Verified shards in an arena → the payload, checked against the signed manifest's checksum. Its number of frames. */
  open(request: OpenRequest): number {
    openPayloadOf(request, this.#arenas, this.#keys);
    return this.reopen(request);
  }

  /** The same, of a payload that has been checked already. */
  reopen(request: OpenRequest): number {
    const { handle, id, payload } = request;
    const { frames } = readPayload(payloadOf(request));
    this.#opened.set(handle, { id, payload, frames });
    return frames.length;
  }

  forget(handle: number): void {
    this.#opened.delete(handle);
  }

  /** A frame's raw bytes, each chunk checked against the id that it had when it was read from the source. */
  inflate({ handle, frame: index }: Pick<InflateRequest, 'handle' | 'frame'>): Uint8Array {
    const opened = this.#opened.get(handle);
    if (!opened) throw new HoldfastError('INTERNAL', `No partition is open as ${handle}.`);
    const { id } = opened;
    const frame = opened.frames[index];
    if (!frame) {
      throw new HoldfastError('FORMAT_INVALID', `Partition ${id} has no frame ${index}.`, {
        details: { partition: id },
      });
    }
    const stored = Buffer.from(opened.payload, frame.start, frame.storedLength);
    const raw = decodeFrame(stored, frame.codec, frame.rawLength, `Partition ${id}`);
    this.#checkChunks(id, frame, raw);
    return raw;
  }

  #checkChunks(partition: PartitionId, frame: OpenedFrame, raw: Uint8Array): void {
    let offset = 0;
    for (const chunk of frame.chunks) {
      const bytes = raw.subarray(offset, offset + chunk.length);
      if (chunkId(this.#chunkIdKey, bytes) !== chunk.id) {
        throw new HoldfastError(
          'HASH_MISMATCH',
          `Partition ${partition}: chunk ${chunk.id} does not have its bytes.`,
          {
            details: { partition, chunk: chunk.id },
          },
        );
      }
      offset += chunk.length;
    }
  }
}

function openPayloadOf(request: OpenRequest, arenas: ThreadArenas, keys: SealingKeys): void {
  const { k, m, helpers, sizeClass, id, epoch } = request;
  const arena = arenas.get(request.arena);
  const present = new Set(request.present);
  const missing = Array.from({ length: k }, (_, index) => index).filter((index) => !present.has(index));
  if (missing.length > 0)
    arena.reconstruct({ k, m, helpers, bytes: sizeClass, present: request.present, wanted: missing });
  const payload = payloadOf(request);
  const partition = keys.partition(epoch, id);
  let shardKeys: Uint8Array[] = [];
  try {
    shardKeys = partition.shardKeys(k);
    const shards = Array.from({ length: k }, (_, index) => arena.shard(index, sizeClass));
    openPayload({ shards, shardKeys, payload, describe: id });
  } finally {
    wipe(...shardKeys);
    partition.destroy();
  }
  if (request.size > payload.length || blake3Hex(payload.subarray(0, request.size)) !== request.checksum) {
    throw new HoldfastError(
      'HASH_MISMATCH',
      `Partition ${id} does not have the checksum that its manifest states.`,
      {
        details: { partition: id },
      },
    );
  }
}

const payloadOf = ({ payload, k, sizeClass }: OpenRequest): Buffer =>
  Buffer.from(payload, 0, payloadCapacity(k, sizeClass));
