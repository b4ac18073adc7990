import { HoldfastError, type PartitionId, type PeerId } from '@holdfast/contracts';
import { type Candidate, checkCandidates } from '../candidate.ts';
import { type Holding, stillCounts } from '../holding.ts';
import { checkRules, type PlacementRules, type Relaxation } from '../placement-rules.ts';
import { refuse } from '../refusal.ts';
import { type AdversaryCounts, noShardsYet } from '../rules/adversary-limit.ts';
import { relaxationsAt } from '../rules/ladders.ts';
import { barredPeers } from '../rules/past-holders.ts';
import { Tokens } from './pair-hash.ts';
import { NOBODY, Pool } from './pool.ts';
import type { Standing } from './tally.ts';

export interface ReassignRequest {
  readonly partition: PartitionId;
  readonly index: number;
  /**
   * Index i holds shard i; null: nobody at present. With several copies of each, index c · n + i holds the c-th copy of shard
   * i, and null is the one to be placed.
   */
  readonly current: readonly (PeerId | null)[];
  /** Everybody who ever held a shard of the partition, or may have got it; the present holders may be among them. */
  readonly pastHolders: readonly Holding[];
  /** Who has, or had, shards of sibling partitions; looked at where the rules separate siblings. */
  readonly siblings?: readonly Holding[];
  /** Wall clock, ms. Needed to forget former holders after T windows. */
  readonly now?: number;
  readonly candidates: readonly Candidate[];
  readonly rules: PlacementRules;
  readonly salt: Uint8Array;
  /** Not to be chosen: unreachable, full, or tried before. */
  readonly exclude: ReadonlySet<PeerId>;
}

/**
 * Another peer for one shard whose present choice failed; all other shards stay where they are. `candidates` should
 * list the present and past holders too, even those in `exclude`: a holder of whom nothing is known is charged to
 * every operator and failure domain. Fails with PLACEMENT_REFUSED or USAGE, as `assignStripe` does.
 */
export function reassignShard(request: ReassignRequest): {
  readonly peer: PeerId;
  readonly relaxations: readonly Relaxation[];
} {
  const { partition, index, current, candidates, rules, now = 0 } = request;
  checkRules(rules);
  checkCandidates(candidates);
  checkIndex(request);
  const present = current.flatMap((peer, i) =>
    peer === null ? [] : [{ index: i % (rules.k + rules.m), peer }],
  );
  const holders = [...present, ...request.pastHolders];
  const barred = barredPeers(index, holders, request.siblings ?? [], rules, now);
  for (const peer of request.exclude) barred.add(peer);
  for (const [i, peer] of current.entries()) {
    if (peer !== null && i % (rules.k + rules.m) === index) barred.add(peer);
  }

  const standing = standingBeside(request, holders, now);
  const tokens = new Tokens(request.salt);
  const pool = new Pool(candidates, rules, 1, tokens);
  const levels = pool.settle(1, standing, barred);
  const token = tokens.partition(partition);
  // A walk looks at one peer at a time, and the first may be too far away for the average that another would keep.
  const peer = levels && (pool.pick(token, NOBODY) ?? pool.pickCarefully(token, NOBODY))?.[0];
  if (!levels || !peer) {
    const { adversaries } = standing;
    throw refuse({ partition, need: 1, candidates, barred, rules, adversaries });
  }
  return { peer, relaxations: relaxationsAt(pool.ladders, levels) };
}

function checkIndex({ partition, index, rules }: ReassignRequest): void {
  if (Number.isInteger(index) && index >= 0 && index < rules.k + rules.m) return;
  throw new HoldfastError('USAGE', `Partition ${partition} has no shard ${index}.`);
}

function standingBeside(request: ReassignRequest, holders: readonly Holding[], now: number): Standing {
  const { index, current, candidates, rules } = request;
  const known = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  const adversaries = noShardsYet(rules);
  for (const holder of holders) {
    // The shard's own former holders have nothing that its new holder would not have.
    if (holder.index === index || !stillCounts(holder, rules, now)) continue;
    charge(adversaries, known.get(holder.peer), holder.index);
  }
  const kept = current.flatMap((peer, i) =>
    peer === null || (rules.copies === 1 && i === index) ? [] : [peer],
  );
  return { adversaries, kept };
}

function charge(
  { operators, failureDomains }: AdversaryCounts,
  holder: Candidate | undefined,
  index: number,
) {
  operators.add(holder?.operator, index);
  if (!holder) failureDomains.add(undefined, index);
  for (const domain of holder?.failureDomains ?? []) failureDomains.add(domain, index);
}
