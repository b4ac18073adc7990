import type { Hash } from '@holdfast/contracts';
import { blake3Hex } from '@holdfast/crypto';
import type { RebuildRequest } from './protocol.ts';
import type { ThreadArenas } from './thread-arenas.ts';

/** Makes shards again in their slots. What they hash to, for the caller to compare: it decides whether they are right. */
export function rebuildShards(
  { arena: index, code, sizeClass, how }: RebuildRequest,
  arenas: ThreadArenas,
): Hash[] {
  const arena = arenas.get(index);
  const shape = { ...code, bytes: sizeClass };
  if ('lost' in how) arena.repair({ ...shape, ...how });
  else arena.reconstruct({ ...shape, ...how });
  const made = 'lost' in how ? [how.lost] : how.wanted;
  return made.map((shard) => blake3Hex(arena.shard(shard, sizeClass)));
}
