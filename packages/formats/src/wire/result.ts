import { fromHex, type HaveResult, HoldfastError, type PeerStatus, type ShardId } from '@holdfast/contracts';
import type { CborValue } from '../cbor.ts';
import { Fields } from './fields.ts';
import { MAX_IDS, MAX_LIST, MAX_TEXT } from './limits.ts';

/** STATUS without what the connection itself proves: who the peer is. */
export type StatusResult = Omit<PeerStatus, 'id'>;
export type ListedShard = { id: ShardId } & HaveResult;

// PUT: whether the shard was there before.
export const encodePutResult = (result: 'stored' | 'present'): CborValue => result === 'present';
export const decodePutResult = (value: CborValue): 'stored' | 'present' =>
  decodeFlag(value) ? 'present' : 'stored';

// DELETE: whether it was there. HEAD_PUT and GET have nothing to say beyond their success: null.
export const decodeFlag = (value: CborValue): boolean => {
  const fields = new Fields([value], 'A result');
  return fields.boolean('flag');
};

export const encodeHave = (found: readonly (HaveResult | null)[]): CborValue =>
  found.map((shard) => (shard === null ? null : [fromHex(shard.hash), shard.bytes, shard.leaseUntil]));

/** @param count how many were asked for. */
export function decodeHave(value: CborValue, count: number): (HaveResult | null)[] {
  const outer = new Fields([value], 'HAVE result');
  const items = outer.list('list', MAX_IDS);
  requireCount(items.length, count, 'HAVE result');
  return items.map((item) => (item === null ? null : takeWhole(item, takeHave)));
}

export const encodeLease = (done: readonly boolean[]): CborValue => done;

export function decodeLease(value: CborValue, count: number): boolean[] {
  const items = new Fields([value], 'LEASE result').list('list', MAX_IDS);
  requireCount(items.length, count, 'LEASE result');
  return items.map(decodeFlag);
}

export const encodeList = (shards: readonly ListedShard[]): CborValue =>
  shards.map((shard) => [fromHex(shard.id), fromHex(shard.hash), shard.bytes, shard.leaseUntil]);

export function decodeList(value: CborValue): ListedShard[] {
  const items = new Fields([value], 'LIST result').list('list', MAX_LIST);
  return items.map((item) =>
    takeWhole(item, (fields) => ({ id: fields.shardId('id'), ...takeHave(fields) })),
  );
}

export const encodeStatus = (status: StatusResult): CborValue => [
  status.version,
  status.capacityBytes,
  status.usedBytes,
  status.ownerQuotaBytes,
  status.ownerUsedBytes,
  status.ownerShards,
  status.startedAt,
];

export const decodeStatus = (value: CborValue): StatusResult =>
  takeWhole(value, (fields) => ({
    version: fields.text('version', MAX_TEXT),
    capacityBytes: fields.uint('capacity'),
    usedBytes: fields.uint('usage'),
    ownerQuotaBytes: fields.uint('quota'),
    ownerUsedBytes: fields.uint('usage'),
    ownerShards: fields.uint('count'),
    startedAt: fields.uint('time'),
  }));

// HEAD_GET: the sequence, with the head as the body; null without a body when there is none.
export const decodeHeadSequence = (value: CborValue): number | null => {
  const fields = new Fields([value], 'HEAD_GET result');
  return fields.nullable(() => fields.uint('sequence'));
};

const takeHave = (fields: Fields): HaveResult => ({
  hash: fields.hash('hash'),
  bytes: fields.uint('size'),
  leaseUntil: fields.uint('lease'),
});

function takeWhole<T>(value: CborValue, take: (fields: Fields) => T): T {
  const fields = new Fields(value, 'A result');
  const taken = take(fields);
  fields.end();
  return taken;
}

function requireCount(got: number, asked: number, what: string): void {
  if (got !== asked)
    throw new HoldfastError('PEER_PROTOCOL', `${what} has ${got} items; ${asked} were asked for`);
}
