import { HoldfastError, type Stripe, scatterParts } from '@holdfast/contracts';
import { repairHelpers, repairRange } from '@holdfast/erasure';
import type { RunContext } from '../run-context.ts';
import type { ArenaReference } from '../sealing/protocol.ts';
import { slotView } from '../sealing/slot-view.ts';

export interface FetchedParts {
  /** Shards whose slots now have the parts that repairing takes; null when that cannot be had. */
  readonly from: readonly number[] | null;
  readonly fetchedBytes: number;
}

/**
 * Gets the parts of other shards from which a Clay code makes a lost one. Parts cannot be checked one by one: what comes of
 * them is compared with the hash in the manifest. Slots are the caller's again only after every request has ended.
 */
export async function fetchParts(
  run: RunContext,
  stripe: Stripe,
  lost: number,
  present: Iterable<number>,
  arena: ArenaReference,
): Promise<FetchedParts> {
  const cost = (index: number): number => run.storage.cost(stripe.shards[index]!.peer);
  const nearest = [...present].sort((a, b) => cost(a) - cost(b));
  const from = repairHelpers(stripe, lost, nearest);
  if (from === null) return { from, fetchedBytes: 0 };
  const received = await Promise.all(from.map((index) => fetchPartsOf(run, stripe, lost, index, arena)));
  const complete = received.every((bytes) => bytes !== null);
  return { from: complete ? from : null, fetchedBytes: received.reduce<number>((a, b) => a + (b ?? 0), 0) };
}

/** How many bytes; null when the peer failed, which is noted. */
async function fetchPartsOf(
  run: RunContext,
  stripe: Stripe,
  lost: number,
  index: number,
  arena: ArenaReference,
): Promise<number | null> {
  const { storage, shards, tasks } = run;
  const { transport } = run.engine;
  const { peer } = stripe.shards[index]!;
  const range = repairRange(stripe, lost);
  const parts = new Uint8Array((stripe.sizeClass / range.period) * range.length);
  try {
    const id = shards.shardId(stripe, index);
    const received = await transport.getParts(peer, id, range, parts, { signal: tasks.signal });
    if (received !== parts.length) {
      throw new HoldfastError(
        'PEER_PROTOCOL',
        `${received} bytes of shard ${index} came, not ${parts.length}.`,
        { details: { peer } },
      );
    }
    storage.noteGood(peer, 'served');
  } catch (error) {
    if (tasks.signal.aborted) throw error;
    // Whole shards are asked for next, and whoever has rotted or lost ones is found out there, by name.
    if (!HoldfastError.is(error, 'PEER_SHARD_CORRUPT', 'PEER_NO_SHARD', 'PEER_NOT_OWNER'))
      storage.noteFailure(peer, error);
    return null;
  }
  scatterParts(parts, range, slotView(arena, index, stripe.sizeClass));
  return parts.length;
}
