import { HoldfastError } from '@holdfast/contracts';
import { type Candidate, checkCandidates } from '../candidate.ts';
import { probabilityOfMoreThan } from './poisson-binomial.ts';

/**
 * How many peers a partition must leave out so that new ones can be placed at nearly any time: the fewest `s` for which, of
 * so many peers that fail independently, more than `s` are down at most `1 − share` of the time. A code that takes
 * every peer keeps its SLA and still lets no backup be made while one of them is away, nor a lost shard be made anew elsewhere.
 * @param share of time, 0 … 1
 * @param assumedUptime of peers that have no measured one
 */
export function sparePeers(candidates: readonly Candidate[], share: number, assumedUptime: number): number {
  checkCandidates(candidates);
  if (!(share >= 0 && share <= 1)) {
    throw new HoldfastError('USAGE', `The share of time is ${share}; it must be from 0 to 1.`, {
      details: { field: 'share', value: share },
    });
  }
  const failures = candidates.map(({ uptime }) => 1 - (uptime ?? assumedUptime));
  let spares = 0;
  while (spares < failures.length && probabilityOfMoreThan(spares, failures) > 1 - share) spares += 1;
  return spares;
}
