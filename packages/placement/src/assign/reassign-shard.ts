import { HoldfastError, type PartitionId, type PeerId } from '@holdfast/contracts';
import { type Candidate, checkCandidates } from '../candidate.ts';
import { checkRules, type PlacementRules, type Relaxation } from '../placement-rules.ts';
import { refuse } from '../refusal.ts';
import { OperatorCount } from '../rules/operator-limit.ts';
import { heldAnother } from '../rules/past-holders.ts';
import { hasRoom } from '../rules/room.ts';
import { chooseRelaxing } from './relax.ts';
import { byPreference } from './rendezvous.ts';

/**
 * Another peer for one shard whose present choice failed; all other shards stay where they are. `candidates` should
 * list the present and past holders too, even those in `exclude`: a holder whose operator is not known is charged to
 * every operator. Fails with PLACEMENT_REFUSED or USAGE, as `assignStripe` does.
 */
export function reassignShard(request: {
  readonly partition: PartitionId;
  readonly index: number;
  /** Index i holds shard i; null: nobody at present. */
  readonly current: readonly (PeerId | null)[];
  /** Everybody who ever held a shard of the partition, or may have got it; the present holders may be among them. */
  readonly pastHolders: readonly { readonly index: number; readonly peer: PeerId }[];
  readonly candidates: readonly Candidate[];
  readonly rules: PlacementRules;
  readonly salt: Uint8Array;
  /** Not to be chosen: unreachable, full, or tried before. */
  readonly exclude: ReadonlySet<PeerId>;
}): { readonly peer: PeerId; readonly relaxations: readonly Relaxation[] } {
  const { partition, index, current, candidates, rules } = request;
  checkRules(rules);
  checkCandidates(candidates);
  if (!Number.isInteger(index) || index < 0 || index >= rules.k + rules.m) {
    throw new HoldfastError('USAGE', `Partition ${partition} has no shard ${index}.`);
  }
  const known = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  const present = current.flatMap((peer, i) => (peer === null ? [] : [{ index: i, peer }]));
  const holders = [...present, ...request.pastHolders];

  const operators = new OperatorCount(rules.maxPerOperator);
  for (const holder of holders) {
    // The shard's own past holders have nothing that its new holder would not have.
    if (holder.index !== index) operators.add(known.get(holder.peer)?.operator, holder.index);
  }
  const regions = present.flatMap((holder) =>
    holder.index === index ? [] : (known.get(holder.peer)?.region ?? []),
  );
  const barred = heldAnother(index, holders);
  const allowed = candidates.filter(
    ({ id }) => id !== current[index] && !barred.has(id) && !request.exclude.has(id),
  );
  const usable = allowed.filter((candidate) => hasRoom(candidate, rules));

  const choice = chooseRelaxing(byPreference(partition, usable, request.salt), 1, rules, {
    operators,
    regions,
  });
  const peer = choice?.peers[0];
  if (!choice || !peer) {
    const noRoom = allowed.length - usable.length;
    throw refuse(partition, 1, usable, operators, { noRoom, barred: candidates.length - allowed.length });
  }
  return { peer: peer.id, relaxations: choice.relaxations };
}
