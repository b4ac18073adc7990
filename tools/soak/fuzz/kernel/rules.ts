import type { ArenaFacts, KernelRequest } from './requests.ts';

const isWhole = (value: number, least: number, most: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;

export const isLength = (bytes: number, most: number): boolean =>
  isWhole(bytes, 64, most) && bytes % 64 === 0;

/** docs/specs/erasure.md once more: which arenas there can be. */
export const isPossible = ({ shards, shardBytes, scratchBytes }: ArenaFacts): boolean =>
  isWhole(shards, 1, 255) && isLength(shardBytes, 2 ** 32) && isWhole(scratchBytes, 0, 2 ** 32);

/** What has to become of a request: the code of its refusal, or null when it is good. */
export function refusalOf(
  request: KernelRequest,
  arena: ArenaFacts,
): 'CODE_PARAMETERS' | 'TOO_FEW_SHARDS' | null {
  const { call, k, m, bytes, present, wanted, index } = request;
  if (call === 'shard') {
    const good = isWhole(index, 0, arena.shards - 1) && isWhole(bytes, 0, arena.shardBytes);
    return good ? null : 'CODE_PARAMETERS';
  }
  const fits = isWhole(k, 1, 255) && isWhole(m, 0, 255 - k) && k + m <= arena.shards;
  if (!fits || !isLength(bytes, arena.shardBytes)) return 'CODE_PARAMETERS';
  if (call === 'updateParity')
    return isWhole(index, 0, k - 1) && arena.scratchBytes >= bytes ? null : 'CODE_PARAMETERS';
  if (call !== 'reconstruct') return null;
  // Holes of a list count as undefined.
  const all = [...present, ...wanted];
  const distinct = new Set(all).size === all.length;
  if (!distinct || !all.every((shard) => isWhole(shard, 0, k + m - 1))) return 'CODE_PARAMETERS';
  return present.length < k ? 'TOO_FEW_SHARDS' : null;
}
