import { HoldfastError, type Stripe } from '@holdfast/contracts';
import type { UnrepairedShard } from '../api.ts';
import type { RunContext } from '../run-context.ts';
import type { BorrowedArena } from '../sealing/encryption-manager.ts';
import type { ShardSurvey } from '../shards/shard-survey.ts';
import { fetchParts } from './fetch-parts.ts';
import { giveBack } from './give-back.ts';

export interface StripeRepair {
  /** Shards that were wrong or missing with peers that answer. */
  readonly wanting: number;
  readonly repaired: number;
  readonly fromParts: boolean;
  readonly failed: readonly UnrepairedShard[];
  /** Too few shards for now, or they do not code what the manifest says. */
  readonly lost: boolean;
}

interface Made {
  /** Index → whether other bytes are to be replaced. */
  readonly shards: ReadonlyMap<number, boolean>;
  readonly fromParts: boolean;
}

export interface RepairOptions {
  readonly read: boolean;
  /** Called with what was fetched of shards, whatever came of it. */
  readonly onFetched: (bytes: number) => void;
}

/** Makes what peers have lost of one partition again and gives it back to them. */
export async function repairStripe(
  run: RunContext,
  stripe: Stripe,
  survey: ShardSurvey,
  options: RepairOptions,
): Promise<StripeRepair> {
  const arena = await run.encryption.borrow(stripe);
  try {
    const cheap = options.read ? null : await fromParts(run, stripe, survey, arena, options);
    const made = cheap ?? (await fromShards(run, stripe, survey, arena, options));
    const failed = await giveAllBack(run, stripe, made, arena);
    const wanting = made.shards.size;
    return { wanting, repaired: wanting - failed.length, fromParts: made.fromParts, failed, lost: false };
  } catch (error) {
    if (!HoldfastError.is(error, 'TOO_FEW_SHARDS', 'HASH_MISMATCH')) throw error;
    return { wanting: survey.missing.size, repaired: 0, fromParts: false, failed: [], lost: true };
  } finally {
    run.encryption.giveBack(arena);
  }
}

/** The cheap way: one shard lost, a Clay code, and enough helpers at hand. Null where that is not so, or came to nothing. */
async function fromParts(
  run: RunContext,
  stripe: Stripe,
  { present, missing }: ShardSurvey,
  arena: BorrowedArena,
  { onFetched }: RepairOptions,
): Promise<Made | null> {
  const [lost] = missing;
  if (stripe.helpers === 0 || missing.size !== 1 || lost === undefined) return null;
  const { from, fetchedBytes } = await fetchParts(run, stripe, lost, present, arena.reference);
  onFetched(fetchedBytes);
  if (from === null) return null;
  const [hash] = await run.encryption.rebuild(arena, stripe, { lost, from });
  // Somebody sent wrong parts, and nobody can say who: whole shards are checked one by one.
  if (hash !== stripe.shards[lost]!.hash) return null;
  // Whoever is asked for whole shards is found out by that; this loss is known from the survey only.
  run.storage.noteMissing(stripe.shards[lost]!.peer);
  return { shards: new Map([[lost, false]]), fromParts: true };
}

async function fromShards(
  run: RunContext,
  stripe: Stripe,
  { missing }: ShardSurvey,
  arena: BorrowedArena,
  { read, onFetched }: RepairOptions,
): Promise<Made> {
  const { shards, tasks } = run;
  const want = read ? stripe.shards.length : stripe.k;
  const { present, bad, fetchedBytes } = await shards.fetch(stripe, arena.reference, want, tasks.signal);
  onFetched(fetchedBytes);
  const wanted = new Map<number, boolean>([...missing].map((index) => [index, false]));
  for (const { index, peer, problem } of bad) {
    // Whoever has left the swarm may still answer, but is given nothing any more.
    if (problem !== 'unreachable' && run.storage.isActive(peer)) wanted.set(index, problem === 'wrong-bytes');
  }
  for (const index of present) wanted.delete(index);
  if (wanted.size === 0) return { shards: wanted, fromParts: false };
  if (present.length < stripe.k) {
    throw new HoldfastError('TOO_FEW_SHARDS', `Partition ${stripe.id} has ${present.length} shards for now.`);
  }
  const hashes = await run.encryption.rebuild(arena, stripe, { present, wanted: [...wanted.keys()] });
  for (const [at, index] of [...wanted.keys()].entries()) {
    if (hashes[at] === stripe.shards[index]!.hash) continue;
    throw new HoldfastError('HASH_MISMATCH', `Shard ${index} of partition ${stripe.id} comes out different.`);
  }
  return { shards: wanted, fromParts: false };
}

async function giveAllBack(
  run: RunContext,
  stripe: Stripe,
  made: Made,
  arena: BorrowedArena,
): Promise<UnrepairedShard[]> {
  const answers = await Promise.all(
    [...made.shards].map(async ([index, replace]) => {
      const error = await giveBack(run, stripe, index, arena.reference, replace);
      const { id: partition, number, shards } = stripe;
      const { peer } = shards[index]!;
      return error && { partition, number, index, peer, code: error.code, message: error.message };
    }),
  );
  return answers.filter((answer) => answer !== null);
}
