import {
  gatherParts,
  type HaveResult,
  HoldfastError,
  isStridedRange,
  type OwnerId,
  type PeerStatus,
  type ShardId,
  type ShardStore,
  type StoredShard,
  type StridedRange,
} from '@holdfast/contracts';
import type { CborValue } from '@holdfast/formats';
import {
  encodeHave,
  encodeLease,
  encodeList,
  encodePutResult,
  encodeStatus,
  type Request,
} from '@holdfast/formats/wire';

/** What a peer says of itself besides the store's figures. */
export type StatusFacts = Pick<PeerStatus, 'version' | 'startedAt'>;

export interface Answer {
  readonly result: CborValue;
  /** Sent as it lies; stays untouched until it is sent. */
  readonly body: Uint8Array | null;
}

export interface Question {
  readonly owner: OwnerId;
  readonly request: Request;
  /** What was received with the request. */
  readonly body: Uint8Array;
  /** Where the bytes of GET may be put. */
  readonly space: Uint8Array | null;
}

/** Carries out one request on the store. Fails with the store's codes. */
export async function answer(store: ShardStore, facts: StatusFacts, question: Question): Promise<Answer> {
  const { owner, request } = question;
  switch (request.type) {
    case 'put': {
      const { id, hash, leaseUntil } = request;
      return plain(encodePutResult(await store.put(owner, { id, hash, leaseUntil, bytes: question.body })));
    }
    case 'get': {
      const range = { offset: request.offset, length: request.length ?? undefined };
      const body = await store.get(owner, request.id, { ...range, into: question.space ?? undefined });
      return { result: null, body };
    }
    case 'get-parts':
      return { result: null, body: await parts(store, owner, request, question.space) };
    case 'have':
      return plain(encodeHave((await store.has(owner, request.ids)).map((shard) => shard && have(shard))));
    case 'delete':
      return plain(await store.delete(owner, request.id));
    case 'lease':
      return plain(encodeLease(await store.lease(owner, request.ids, request.until)));
    case 'list': {
      const page = { after: request.after ?? undefined, limit: request.limit };
      const shards = await store.list(owner, page);
      return plain(encodeList(shards.map((shard) => ({ id: shard.id, ...have(shard) }))));
    }
    case 'status':
      return plain(encodeStatus({ ...(await store.usage(owner)), ...facts }));
    case 'head-put':
      await store.putHead(owner, { sequence: request.sequence, bytes: question.body });
      return plain(null);
    case 'head-get': {
      const head = await store.getHead(owner);
      return head === null ? plain(null) : { result: head.sequence, body: head.bytes };
    }
    default:
      throw new HoldfastError('PEER_PROTOCOL', 'A request of an unknown type');
  }
}

/** The whole shard is read, so that the store checks it: one that has rotted must not go into another. */
async function parts(
  store: ShardStore,
  owner: OwnerId,
  { id, range }: { id: ShardId; range: StridedRange },
  space: Uint8Array | null,
): Promise<Uint8Array> {
  const shard = await store.get(owner, id, { into: space ?? undefined });
  if (!isStridedRange(range, shard.length)) {
    const { offset, length, period } = range;
    throw new HoldfastError(
      'FORMAT_INVALID',
      `The range ${offset}+${length} of each ${period} is none of shard ${id}.`,
    );
  }
  return shard.subarray(0, gatherParts(shard, range));
}

const plain = (result: CborValue): Answer => ({ result, body: null });

const have = ({ hash, bytes, leaseUntil }: StoredShard): HaveResult => ({ hash, bytes, leaseUntil });
