import type { PartitionId } from '@holdfast/contracts';
import { type Candidate, weightOf } from '../candidate.ts';
import { KeyedHash } from './keyed-hash.ts';

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar; weights by exponential clocks, as in Efraimidis and Spirakis):
 * candidate i rings at −ln(u_i) / w_i with u_i uniform from hash(salt, partition, i), and the earliest are preferred. Each
 * clock depends on nothing but its own peer, so a peer that joins or leaves changes only who it displaces or lets in.
 * @returns the candidates in order of preference.
 */
export function byPreference(
  partition: PartitionId,
  candidates: readonly Candidate[],
  salt: Uint8Array,
): Candidate[] {
  const hash = KeyedHash.fromSalt(salt, partition);
  const ringing = candidates.map((candidate) => {
    return { candidate, at: -Math.log(hash.uniform(candidate.id)) / weightOf(candidate) };
  });
  // Equal clocks (weight 0: never rings) still need an order that does not depend on the order of the input.
  ringing.sort((a, b) => (a.at === b.at ? compareIds(a.candidate, b.candidate) : a.at - b.at));
  return ringing.map(({ candidate }) => candidate);
}

const compareIds = (a: Candidate, b: Candidate): number => (a.id < b.id ? -1 : 1);
