import { BLOCK, type ClayCode, isClayCode, matesOf } from './clay-code.ts';
import type { ArenaFacts, KernelRequest } from './requests.ts';
import { isWhole } from './whole.ts';

export type Refusal = 'CODE_PARAMETERS' | 'TOO_FEW_SHARDS';

const isLength = (bytes: number, most: number): boolean => isWhole(bytes, 64, most) && bytes % 64 === 0;

/** docs/specs/erasure.md once more: which arenas there can be. Nothing at all stands for no Clay code. */
export const isPossible = ({ shards, shardBytes, scratchBytes, clay }: ArenaFacts): boolean =>
  isWhole(shards, 1, 255) &&
  isLength(shardBytes, 2 ** 32) &&
  isWhole(scratchBytes, 0, 2 ** 32) &&
  (!clay || isClayCode(clay));

/** No helpers, or none given: plain Reed–Solomon. */
export const isPlain = ({ helpers }: Pick<KernelRequest, 'helpers'>): boolean =>
  helpers === undefined || helpers === 0;

/**
 * What has to become of a request: the code of its refusal, or null when it is good.
 * @param hasRoom asked where the arena was made for another Clay code: how much room it has is its own matter.
 */
export function refusalOf(
  request: KernelRequest,
  arena: ArenaFacts,
  hasRoom: (code: ClayCode) => boolean,
): Refusal | null {
  const { call, k, m, bytes, index } = request;
  if (call === 'shard') {
    const good = isWhole(index, 0, arena.shards - 1) && isWhole(bytes, 0, arena.shardBytes);
    return good ? null : 'CODE_PARAMETERS';
  }
  const fits = isWhole(k, 1, 255) && isWhole(m, 0, 255 - k) && k + m <= arena.shards;
  if (!fits || !isLength(bytes, arena.shardBytes)) return 'CODE_PARAMETERS';
  if (!isPlain(request) && !isClayRequest(request, arena, hasRoom)) return 'CODE_PARAMETERS';
  if (call === 'updateParity')
    return isWhole(index, 0, k - 1) && arena.scratchBytes >= bytes ? null : 'CODE_PARAMETERS';
  if (call === 'repair') return isRepair(request) ? null : 'CODE_PARAMETERS';
  return call === 'reconstruct' ? refusalOfShards(request) : null;
}

function isClayRequest(
  { k, m, helpers, bytes }: KernelRequest,
  { clay }: ArenaFacts,
  hasRoom: (code: ClayCode) => boolean,
): boolean {
  const code = { k, m, helpers };
  if (!clay || !isClayCode(code) || bytes % BLOCK !== 0) return false;
  return (clay.k === k && clay.m === m && clay.helpers === helpers) || hasRoom(code);
}

function isRepair(request: KernelRequest): boolean {
  const { k, m, helpers, lost, from } = request;
  if (isPlain(request) || !areShards([lost, ...from], k + m) || from.length !== helpers) return false;
  return matesOf({ k, m, helpers }, lost).every((mate) => from.some((shard) => shard === mate));
}

function refusalOfShards({ k, m, present, wanted }: KernelRequest): Refusal | null {
  if (!areShards([...present, ...wanted], k + m)) return 'CODE_PARAMETERS';
  return present.length < k ? 'TOO_FEW_SHARDS' : null;
}

/** Holes of a list count as undefined. */
export const areShards = (list: readonly number[], count: number): boolean =>
  new Set(list).size === list.length && [...list].every((shard) => isWhole(shard, 0, count - 1));
