import {
  copyInto,
  type Hash,
  HoldfastError,
  MAX_STRIPE_SHARDS,
  SEAL_OVERHEAD,
  SIZE_CLASSES,
  type SizeClass,
  toHex,
} from '@holdfast/contracts';
import {
  keyStream,
  PackageReader,
  PackageWriter,
  packageKeyFor,
  payloadChecksum,
  TRAILER_BYTES,
} from './aont.ts';
import { ShardOpener, ShardSealer } from './shard-cipher.ts';

/** Of those tried from 64 KiB to 1 MiB the best for large stripes: fewer, longer calls count for more than a cache that is near. */
const PIECE_BYTES = 512 * 1024;
const ZEROS = new Uint8Array(64 * 1024);
const KEY_BYTES = 32;

/** Bytes of payload that `k` primary shards hold: all but the seals' tags and the package's trailer. */
export function payloadCapacity(k: number, sizeClass: SizeClass): number {
  return k * (sizeClass - SEAL_OVERHEAD) - TRAILER_BYTES;
}

export interface SealRequest {
  /** At least `payloadCapacity` bytes, zeros after `size`. Borrowed and not changed. May lie in shared memory. */
  readonly payload: Uint8Array;
  /** Bytes of the payload in use; default: the whole capacity. Sealing again for the same bytes needs the same size. */
  readonly size?: number;
  /** 32 random bytes. They must not outlive the partition's completion: docs/specs/sealing.md. */
  readonly packageKey: Uint8Array;
  /** k keys of 32 bytes. Each must belong to this partition and place alone. */
  readonly shardKeys: readonly Uint8Array[];
  /** k destinations of one size class, which must not overlap the payload. May lie in shared memory. */
  readonly shards: readonly Uint8Array[];
}

/**
 * All-or-nothing transform and one seal per shard in a single pass. The same request always gives the same bytes.
 * Fails with CODE_PARAMETERS before anything is written. Gives the BLAKE3-256 of the payload's first `size` bytes,
 * which it had to compute anyway.
 */
export function sealPayload(request: SealRequest): { checksum: Hash } {
  const { payload, shards, shardKeys, packageKey } = request;
  const { k, capacity } = checkShape(shards, shardKeys, payload);
  const size = request.size ?? capacity;
  if (!Number.isInteger(size) || size < 0 || size > capacity) {
    refuse(`${size} bytes of payload do not fit into the ${capacity} that ${k} shards hold.`);
  }
  if (packageKey.length !== KEY_BYTES)
    refuse(`A package key has ${KEY_BYTES} bytes, not ${packageKey.length}.`);
  if (!isZero(payload.subarray(size, capacity))) refuse('The payload is not padded with zeros.');

  const checksum = payloadChecksum(payload, size);
  const key = packageKeyFor(packageKey, checksum, size);
  try {
    writePackage(payload.subarray(0, capacity), key, shards, shardKeys);
  } finally {
    key.fill(0);
  }
  return { checksum: toHex(checksum) as Hash };
}

function writePackage(
  payload: Uint8Array,
  key: Uint8Array,
  shards: readonly Uint8Array[],
  shardKeys: readonly Uint8Array[],
): void {
  const k = shards.length;
  const sizeClass = shards[0]!.length as SizeClass;
  const writer = new PackageWriter(key);
  for (let index = 0; index < k; index++) {
    const sealer = new ShardSealer(shards[index]!, shardKeys[index]!, { k, index, sizeClass });
    const { start, end } = payloadRange(index, sizeClass, payload.length);
    for (let at = start; at < end; at = pieceEnd(at, end)) {
      sealer.write(writer.transform(payload.subarray(at, pieceEnd(at, end))));
    }
    if (index === k - 1) sealer.write(writer.trailer());
    sealer.finish();
  }
}

export interface OpenRequest {
  /** The k primary shards in order of index, all of one size class. Borrowed; untrusted. */
  readonly shards: readonly Uint8Array[];
  readonly shardKeys: readonly Uint8Array[];
  /** At least `payloadCapacity` bytes, overlapping no shard. On failure those are all zero. */
  readonly payload: Uint8Array;
  /** The partition's id, for messages. */
  readonly describe?: string;
}

/**
 * Undoes {@link sealPayload}. SEAL_BROKEN with `details.indices` naming every shard that is not what was sealed in
 * its place under its key (`details.index` the first); CODE_PARAMETERS before anything is written.
 */
export function openPayload(request: OpenRequest): void {
  const { shards, shardKeys } = request;
  const { k, sizeClass, capacity } = checkShape(shards, shardKeys, request.payload);
  const payload = request.payload.subarray(0, capacity);
  const reader = new PackageReader();
  const broken: number[] = [];
  let key: Uint8Array | undefined;
  try {
    for (let index = 0; index < k; index++) {
      const opener = new ShardOpener(shards[index]!, shardKeys[index]!, { k, index, sizeClass });
      const { start, end } = payloadRange(index, sizeClass, capacity);
      for (let at = start; at < end; at = pieceEnd(at, end)) {
        const piece = opener.read(pieceEnd(at, end) - at);
        reader.absorb(piece);
        copyInto(payload, at, piece);
      }
      if (index === k - 1) key = reader.key(opener.read(TRAILER_BYTES));
      if (!opener.verify()) broken.push(index);
    }
    if (broken.length > 0) throw sealBroken(broken, request.describe);
    decipherInPlace(payload, key!);
  } catch (error) {
    payload.fill(0);
    throw error;
  } finally {
    key?.fill(0);
  }
}

/**
 * Pieces end at multiples of their size in the package, not in the shard, whose part of it is 16 bytes short of one: BLAKE3 then
 * gets whole subtrees, which it hashes with all lanes.
 */
const pieceEnd = (at: number, end: number): number =>
  Math.min(end, (Math.floor(at / PIECE_BYTES) + 1) * PIECE_BYTES);

function decipherInPlace(payload: Uint8Array, key: Uint8Array): void {
  const cipher = keyStream(key);
  for (let at = 0; at < payload.length; at += PIECE_BYTES) {
    copyInto(payload, at, cipher.update(payload.subarray(at, Math.min(payload.length, at + PIECE_BYTES))));
  }
}

/** Which bytes of the payload lie in a shard; the last shard also has the trailer. */
function payloadRange(index: number, sizeClass: SizeClass, capacity: number): { start: number; end: number } {
  const share = sizeClass - SEAL_OVERHEAD;
  return { start: index * share, end: Math.min(capacity, (index + 1) * share) };
}

function checkShape(
  shards: readonly Uint8Array[],
  keys: readonly Uint8Array[],
  payload: Uint8Array,
): { k: number; sizeClass: SizeClass; capacity: number } {
  const k = shards.length;
  if (k < 1 || k > MAX_STRIPE_SHARDS) refuse(`A stripe cannot have ${k} primary shards.`);
  const sizeClass = SIZE_CLASSES.find((size) => size === shards[0]!.length);
  if (sizeClass === undefined) return refuse(`${shards[0]!.length} bytes is not a shard's size.`);
  const odd = shards.findIndex((shard) => shard.length !== sizeClass);
  if (odd >= 0) refuse(`Shard ${odd} has ${shards[odd]!.length} bytes, shard 0 has ${sizeClass}.`);
  if (keys.length !== k) refuse(`${keys.length} keys for ${k} shards.`);
  const short = keys.findIndex((key) => key.length !== KEY_BYTES);
  if (short >= 0) refuse(`The key of shard ${short} has ${keys[short]!.length} bytes, not ${KEY_BYTES}.`);
  const capacity = payloadCapacity(k, sizeClass);
  if (payload.length < capacity)
    refuse(`A payload buffer of ${payload.length} bytes is below the capacity, ${capacity}.`);
  return { k, sizeClass, capacity };
}

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) return false;
  }
  return true;
}

function refuse(message: string): never {
  throw new HoldfastError('CODE_PARAMETERS', message);
}

function sealBroken(indices: readonly number[], partition: string | undefined): HoldfastError {
  const which = indices.length === 1 ? `Shard ${indices[0]}` : `Shards ${indices.join(', ')}`;
  return new HoldfastError(
    'SEAL_BROKEN',
    `${which} of partition ${partition ?? '(unnamed)'} failed authentication.`,
    {
      hint: 'Fetch other shards of the partition: any k good ones rebuild it.',
      details: { partition, index: indices[0], indices },
    },
  );
}
