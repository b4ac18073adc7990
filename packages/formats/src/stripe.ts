import {
  DEPENDENCY_KINDS,
  fromHex,
  type Hash,
  HoldfastError,
  MAX_STRIPE_SHARDS,
  PARTITION_KINDS,
  type PartitionDependency,
  type PeerId,
  type PlacedShard,
  peerIdFromKey,
  peerIdToKey,
  SIZE_CLASSES,
  type Stripe,
  toHex,
  uuidToBytes,
} from '@holdfast/contracts';
import type { CborValue } from './cbor.ts';
import { MAX_PARTITION } from './extents.ts';
import {
  bytesOf,
  checked,
  type FieldReader,
  hexOf,
  indexInto,
  listOf,
  partitionId,
  refuse,
  tupleOf,
  uint,
} from './fields.ts';
import { parityFromCbor, parityToCbor } from './parity.ts';

const MAX_DEPENDENCIES = 256;
const MAX_EPOCH = 2 ** 32 - 1;
const HASH_BYTES = 32;
/** A shard's hash, then the Ed25519 key of its peer. */
const SHARD_ENTRY_BYTES = HASH_BYTES + 32;

/** A list by position, since there are hundreds of thousands of them; shards are packed, 64 bytes each. */
export function stripeToCbor(value: Stripe): CborValue {
  const encoded = [
    value.number,
    uuidToBytes(value.id),
    PARTITION_KINDS.indexOf(value.kind),
    value.epoch,
    value.k,
    parityToCbor(value),
    SIZE_CLASSES.indexOf(value.sizeClass),
    value.size,
    value.rawSize,
    fromHex(value.checksum),
    value.dependencies.map(({ kind, partition }) => [DEPENDENCY_KINDS.indexOf(kind), uuidToBytes(partition)]),
    packShards(value.shards),
  ];
  return checked(encoded, `The stripe of partition ${value.id}`, stripeFromCbor);
}

const columns = tupleOf(
  uint(MAX_PARTITION),
  partitionId,
  indexInto(PARTITION_KINDS),
  uint(MAX_EPOCH),
  uint(MAX_STRIPE_SHARDS, 1),
  parityFromCbor,
  indexInto(SIZE_CLASSES),
  uint(),
  uint(),
  hexOf<Hash>(),
  listOf(tupleOf(indexInto(DEPENDENCY_KINDS), partitionId), MAX_DEPENDENCIES),
  bytesOf(SHARD_ENTRY_BYTES, SHARD_ENTRY_BYTES * MAX_STRIPE_SHARDS),
);

export const stripeFromCbor: FieldReader<Stripe> = (value) => {
  const [number, id, kind, epoch, k, parity, sizeClass, size, rawSize, checksum, dependencies, packed] =
    columns(value);
  const { m, helpers } = parity;
  if (packed.length !== (k + m) * SHARD_ENTRY_BYTES) refuse(`does not have ${k} + ${m} shards`);
  if (size > k * sizeClass) refuse(`has ${size} bytes, more than ${k} shards of ${sizeClass} hold`);
  return {
    id,
    number,
    kind,
    epoch,
    k,
    m,
    helpers,
    sizeClass,
    size,
    rawSize,
    checksum,
    dependencies: dependencies.map(
      ([dependency, partition]): PartitionDependency => ({ kind: dependency, partition }),
    ),
    shards: unpackShards(packed),
  };
};

function packShards(shards: readonly PlacedShard[]): Uint8Array {
  const packed = Buffer.alloc(shards.length * SHARD_ENTRY_BYTES);
  for (const [i, shard] of shards.entries()) {
    const written = packed.write(shard.hash, i * SHARD_ENTRY_BYTES, HASH_BYTES, 'hex');
    if (written !== HASH_BYTES)
      throw new HoldfastError('INTERNAL', `${shard.hash} is not the hash of a shard`);
    packed.set(peerKey(shard.peer), i * SHARD_ENTRY_BYTES + HASH_BYTES);
  }
  return packed;
}

function unpackShards(packed: Uint8Array): PlacedShard[] {
  return Array.from({ length: packed.length / SHARD_ENTRY_BYTES }, (_, i) => {
    const at = i * SHARD_ENTRY_BYTES;
    return {
      hash: toHex(packed.subarray(at, at + HASH_BYTES)) as Hash,
      peer: peerIdFromKey(packed.subarray(at + HASH_BYTES, at + SHARD_ENTRY_BYTES)),
    };
  });
}

export function peerKey(peer: PeerId): Uint8Array {
  const key = peerIdToKey(peer);
  if (key !== null) return key;
  throw new HoldfastError('INTERNAL', `${peer} is not the text form of an Ed25519 key`);
}
