import {
  fromHex,
  type Hash,
  HoldfastError,
  MAX_HEAD_BYTES,
  type ShardId,
  type StridedRange,
} from '@holdfast/contracts';
import type { CborValue } from '../cbor.ts';
import { Fields } from './fields.ts';
import { MAX_BODY_BYTES, MAX_IDS, MAX_LIST, MAX_REQUEST_ID } from './limits.ts';

export const REQUEST_TYPES = {
  put: 1,
  get: 2,
  have: 3,
  delete: 4,
  lease: 5,
  list: 6,
  status: 7,
  'head-put': 8,
  'head-get': 9,
  'get-parts': 10,
} as const;
export type RequestType = keyof typeof REQUEST_TYPES;

/** What an owner asks of a peer. PUT carries the shard as its body, HEAD_PUT the head; all others have none. */
export type Request =
  | { readonly type: 'put'; readonly id: ShardId; readonly hash: Hash; readonly leaseUntil: number }
  /** `length` null: to the end. */
  | { readonly type: 'get'; readonly id: ShardId; readonly offset: number; readonly length: number | null }
  | { readonly type: 'have'; readonly ids: readonly ShardId[] }
  | { readonly type: 'delete'; readonly id: ShardId }
  | { readonly type: 'lease'; readonly ids: readonly ShardId[]; readonly until: number }
  | { readonly type: 'list'; readonly after: ShardId | null; readonly limit: number }
  | { readonly type: 'status' }
  | { readonly type: 'head-put'; readonly sequence: number }
  | { readonly type: 'head-get' }
  | { readonly type: 'get-parts'; readonly id: ShardId; readonly range: StridedRange };

export interface NumberedRequest {
  /** Chosen by the asking side, unique among its requests under way on the connection; the answer repeats it. */
  readonly requestId: number;
  readonly request: Request;
}

export function encodeRequest({ requestId, request }: NumberedRequest): CborValue {
  return [REQUEST_TYPES[request.type], requestId, ...operands(request)];
}

function operands(request: Request): CborValue[] {
  switch (request.type) {
    case 'put':
      return [fromHex(request.id), fromHex(request.hash), request.leaseUntil];
    case 'get':
      return [fromHex(request.id), request.offset, request.length];
    case 'get-parts':
      return [fromHex(request.id), request.range.offset, request.range.length, request.range.period];
    case 'have':
      return [joinIds(request.ids)];
    case 'delete':
      return [fromHex(request.id)];
    case 'lease':
      return [joinIds(request.ids), request.until];
    case 'list':
      return [request.after === null ? null : fromHex(request.after), request.limit];
    case 'head-put':
      return [request.sequence];
    case 'status':
    case 'head-get':
      return [];
  }
}

const joinIds = (ids: readonly ShardId[]): Uint8Array => fromHex(ids.join(''));

const TYPE_OF_NUMBER = new Map(
  Object.entries(REQUEST_TYPES).map(([type, number]) => [number as number, type as RequestType]),
);

/** PEER_PROTOCOL for anything but a well-formed request with a body of a length that it may have. */
export function decodeRequest(header: CborValue, bodyLength: number): NumberedRequest {
  const fields = new Fields(header, 'A request');
  const type = TYPE_OF_NUMBER.get(fields.uint('type'));
  if (type === undefined) throw new HoldfastError('PEER_PROTOCOL', 'A request of an unknown type');
  const requestId = fields.uint('request id', MAX_REQUEST_ID);
  const request = takeRequest(type, fields);
  fields.end();
  if (bodyLength > BODY_LIMITS[type]) {
    throw new HoldfastError('PEER_PROTOCOL', `A ${type} request with a body of ${bodyLength} bytes`);
  }
  return { requestId, request };
}

const BODY_LIMITS: Readonly<Record<RequestType, number>> = {
  put: MAX_BODY_BYTES,
  get: 0,
  have: 0,
  delete: 0,
  lease: 0,
  list: 0,
  status: 0,
  'head-put': MAX_HEAD_BYTES,
  'head-get': 0,
  'get-parts': 0,
};

function takeRequest(type: RequestType, fields: Fields): Request {
  switch (type) {
    case 'put':
      return { type, id: fields.shardId('id'), hash: fields.hash('hash'), leaseUntil: fields.uint('lease') };
    case 'get':
      return {
        type,
        id: fields.shardId('id'),
        offset: fields.uint('offset'),
        length: fields.nullable(() => fields.uint('length')),
      };
    case 'have':
      return { type, ids: fields.shardIds('ids', MAX_IDS) };
    case 'delete':
      return { type, id: fields.shardId('id') };
    case 'lease':
      return { type, ids: fields.shardIds('ids', MAX_IDS), until: fields.uint('lease') };
    case 'list':
      return {
        type,
        after: fields.nullable(() => fields.shardId('position')),
        limit: fields.uint('limit', MAX_LIST),
      };
    case 'status':
    case 'head-get':
      return { type };
    case 'head-put':
      return { type, sequence: fields.uint('sequence') };
    case 'get-parts':
      return { type, id: fields.shardId('id'), range: takeRange(fields) };
  }
}

function takeRange(fields: Fields): StridedRange {
  return { offset: fields.uint('offset'), length: fields.uint('length'), period: fields.uint('period') };
}
