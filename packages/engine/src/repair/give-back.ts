import { HoldfastError, type Stripe } from '@holdfast/contracts';
import type { RunContext } from '../run-context.ts';
import type { ArenaReference } from '../sealing/protocol.ts';
import { slotView } from '../sealing/slot-view.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Sends a shard that was made again to the peer that should have it. Null when it is durable there; else why not.
 *
 * @param replace the peer has other bytes under its id, which go first: a peer never overwrites.
 */
export async function giveBack(
  run: RunContext,
  stripe: Stripe,
  index: number,
  arena: ArenaReference,
  replace: boolean,
): Promise<HoldfastError | null> {
  const { storage, shards, tasks } = run;
  const { transport, clock, policy } = run.engine;
  const { peer, hash } = stripe.shards[index]!;
  const { signal } = tasks;
  const shard = {
    id: shards.shardId(stripe, index),
    hash,
    bytes: slotView(arena, index, stripe.sizeClass),
    leaseUntil: clock.now() + policy.leaseDays * DAY_MS,
  };
  try {
    if (replace) await transport.delete(peer, shard.id, { signal });
    await transport.put(peer, shard, { signal });
    storage.noteGood(peer, 'stored');
    return null;
  } catch (error) {
    if (signal.aborted) throw error;
    if (!replace && HoldfastError.is(error, 'PEER_SHARD_CONFLICT'))
      return giveBack(run, stripe, index, arena, true);
    storage.noteFailure(peer, error);
    return HoldfastError.from(error, 'PEER_FAILED', 'The shard could not be given back.');
  }
}
