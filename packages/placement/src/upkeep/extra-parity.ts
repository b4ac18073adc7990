import { HoldfastError, MAX_STRIPE_SHARDS, type PartitionId, type PeerId } from '@holdfast/contracts';
import { assignStripe } from '../assign/assign-stripe.ts';
import type { Candidate } from '../candidate.ts';
import type { PlacementRules } from '../placement-rules.ts';
import { byExposure, type Exposure, exposureOf } from './exposure.ts';
import { checkState, rulesFor, senseless, type UpkeepState } from './state.ts';

/**
 * How much of the parity that is wished for the peers can hold under the hard rules: found by placing a partition, so that
 * operators, failure domains, room and reputation count as they will. −1: not even m.
 */
export function placeableParity(request: {
  readonly candidates: readonly Candidate[];
  readonly rules: PlacementRules;
  /** Shards beyond m. */
  readonly wished: number;
  readonly salt: Uint8Array;
}): number {
  const { candidates, rules, wished, salt } = request;
  if (!(Number.isInteger(wished) && wished >= 0)) {
    throw senseless(`wished is ${wished}; it must be a whole number.`, 'wished', wished);
  }
  const most = Math.min(wished, MAX_STRIPE_SHARDS - rules.k - rules.m, candidates.length);
  for (let extra = most; extra >= 0; extra--) {
    const wider = { ...rulesFor({ ...rules, m: rules.m + extra }, rules), copies: rules.copies };
    if (canPlace(candidates, wider, salt)) return extra;
  }
  return -1;
}

const SAMPLE = '00000000-0000-4000-8000-000000000000' as PartitionId;

function canPlace(candidates: readonly Candidate[], rules: PlacementRules, salt: Uint8Array): boolean {
  try {
    assignStripe({ partition: SAMPLE, candidates, rules, salt });
    return true;
  } catch (error) {
    if (HoldfastError.is(error, 'PLACEMENT_REFUSED')) return false;
    throw error;
  }
}

export interface ParityWork extends Exposure {
  readonly partition: PartitionId;
  /** Shards to add. */
  readonly add: number;
}

/**
 * Which stored partitions get more parity, in which order: new partitions have it anyhow, so of the others the most exposed
 * first, and those that have enough not at all.
 * @param wantedM how many parity shards a partition of this k should have
 */
export function parityOrder(state: UpkeepState, wantedM: (k: number) => number): ParityWork[] {
  checkState(state);
  const facts = new Map(state.peers.map((peer) => [peer.id, peer]));
  const away = new Set(state.outages.map(({ peer }) => peer));
  const work = state.partitions.flatMap((partition) => {
    const add = wantedM(partition.k) - partition.m;
    if (!(add > 0)) return [];
    const exposure = exposureOf(partition, away, (peer: PeerId) => facts.get(peer));
    return [{ partition: partition.id, add, ...exposure }];
  });
  return work.sort((a, b) => byExposure(a, b) || (a.partition < b.partition ? -1 : 1));
}
