import type { PartitionId, PeerId } from '@holdfast/contracts';
import { type Candidate, checkCandidates } from '../candidate.ts';
import { checkRules, type PlacementRules, type Relaxation } from '../placement-rules.ts';
import { refuse } from '../refusal.ts';
import { OperatorCount } from '../rules/operator-limit.ts';
import { hasRoom } from '../rules/room.ts';
import { chooseRelaxing } from './relax.ts';
import { byPreference } from './rendezvous.ts';

export interface PlacementPlan {
  /** Index i gets shard i. */
  readonly peers: readonly PeerId[];
  /** In the order in which rules are given up; empty when all were kept. */
  readonly relaxations: readonly Relaxation[];
}

/**
 * Peers for all shards of a new partition. Depends on its arguments alone (not on the order of the candidates), and
 * finds a placement whenever one exists that keeps the hard rules.
 * Fails with PLACEMENT_REFUSED (details: `rule` and what is missing) or USAGE for senseless rules or candidates.
 */
export function assignStripe(request: {
  readonly partition: PartitionId;
  readonly candidates: readonly Candidate[];
  readonly rules: PlacementRules;
  readonly salt: Uint8Array;
}): PlacementPlan {
  const { partition, candidates, rules, salt } = request;
  checkRules(rules);
  checkCandidates(candidates);
  const need = rules.k + rules.m;
  const usable = candidates.filter((candidate) => hasRoom(candidate, rules));
  const operators = new OperatorCount(rules.maxPerOperator);
  const choice = chooseRelaxing(byPreference(partition, usable, salt), need, rules, {
    operators,
    regions: [],
  });
  if (!choice) {
    throw refuse(partition, need, usable, operators, {
      noRoom: candidates.length - usable.length,
      barred: 0,
    });
  }
  return { peers: choice.peers.map((peer) => peer.id), relaxations: choice.relaxations };
}
