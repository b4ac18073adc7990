import type { PartitionId, Random } from '@holdfast/contracts';
import type { Candidate } from '../candidate.ts';
import type { Holding } from '../holding.ts';
import type { PlacementRules } from '../placement-rules.ts';
import { barredPeers } from '../rules/past-holders.ts';
import { Assigner, type PlacementPlan } from './assigner.ts';

/**
 * Peers for all shards of one new partition; for many, prepare an `Assigner`. Depends on its arguments alone (not on the
 * order of the candidates), and finds a placement whenever one exists that keeps the hard rules.
 * Fails with PLACEMENT_REFUSED (details: `rule` and what is missing) or USAGE for senseless rules or candidates.
 */
export function assignStripe(request: {
  readonly partition: PartitionId;
  readonly candidates: readonly Candidate[];
  readonly rules: PlacementRules;
  readonly salt: Uint8Array;
  /** Who has, or had, shards of sibling partitions; looked at where the rules separate siblings. */
  readonly siblings?: readonly Holding[];
  /** Wall clock, ms. Needed to let former holders of siblings have something again after T windows. */
  readonly now?: number;
  readonly random?: Random;
}): PlacementPlan {
  const { partition, rules, siblings = [], now = 0, random } = request;
  const barred = barredPeers(null, [], siblings, rules, now);
  return new Assigner(request).assign(partition, { barred, random });
}
