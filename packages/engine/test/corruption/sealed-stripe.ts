import { createHash } from 'node:crypto';
import {
  bytesToUuid,
  type ChunkId,
  type Hash,
  KiB,
  type PartitionId,
  peerIdFromKey,
  type SizeClass,
  type Stripe,
} from '@holdfast/contracts';
import { blake3Hex, payloadCapacity, sealPayload, VaultKeys } from '@holdfast/crypto';
import { StripeArena } from '@holdfast/erasure';
import { finishPayload, PAYLOAD_HEADER_BYTES, type PayloadFrame } from '@holdfast/formats';
import { seededRandom } from '@holdfast/testing/seeded-random';

export interface Shape {
  readonly k: number;
  readonly m: number;
  /** 0: plain Reed–Solomon. */
  readonly helpers: number;
}

/** The smallest: a corruption is the same in any, and there can be more of them. */
export const SIZE_CLASS: SizeClass = 64 * KiB;
export const KEYS = VaultKeys.fromRoot(seededRandom('corruption root').bytes(32));
export const EPOCH = 0;

/** A partition as a backup would have left it, and what its manifest says of it. */
export interface SealedStripe {
  readonly record: Stripe;
  readonly payload: Uint8Array;
  /** All n of them, with the right bytes. */
  readonly shards: readonly Uint8Array[];
}

/** @param content another one under the same id is an older version of the partition, which does not exist in practice. */
export function sealedStripe({ k, m, helpers }: Shape, id: string, content: string): SealedStripe {
  const partition = bytesToUuid(digest(id).subarray(0, 16)) as PartitionId;
  const { payload, size } = payloadOf(k, content);
  const clay = helpers === 0 ? undefined : { k, m, helpers };
  const arena = StripeArena.create({ shards: k + m, shardBytes: SIZE_CLASS, clay });
  const keys = KEYS.partition(EPOCH, partition);
  const { checksum } = sealPayload({
    payload,
    size,
    packageKey: digest(`secret ${id} ${content}`),
    shardKeys: keys.shardKeys(k),
    shards: Array.from({ length: k }, (_, index) => arena.shard(index)),
  });
  arena.encode({ k, m, helpers, bytes: SIZE_CLASS });
  const shards = Array.from({ length: k + m }, (_, index) => Uint8Array.from(arena.shard(index)));
  const record: Stripe = {
    id: partition,
    number: 1,
    kind: 'size',
    epoch: EPOCH,
    k,
    m,
    helpers,
    sizeClass: SIZE_CLASS,
    size,
    rawSize: size,
    checksum,
    dependencies: [],
    shards: shards.map((shard, i) => ({ hash: blake3Hex(shard), peer: peerIdFromKey(digest(`peer ${i}`)) })),
  };
  return { record, payload, shards };
}

/** One frame of noise, kept raw, that leaves some of the capacity unused. */
function payloadOf(k: number, content: string): { payload: Uint8Array; size: number } {
  const payload = new Uint8Array(payloadCapacity(k, SIZE_CLASS));
  const length = payload.length - 5000;
  const raw = seededRandom(content).bytes(length);
  payload.set(raw, PAYLOAD_HEADER_BYTES);
  const id = createHash('sha256').update(raw).digest('hex') as Hash as string as ChunkId;
  const frame: PayloadFrame = { codec: 0, rawLength: length, storedLength: length, chunks: [{ id, length }] };
  return { payload, size: finishPayload(payload, [frame]) };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
