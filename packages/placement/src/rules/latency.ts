import type { Candidate } from '../candidate.ts';
import type { PlacementRules } from '../placement-rules.ts';
import type { Ladder } from './ladder.ts';

/** Multiples of what was asked for. The last one admits every peer, however slow. */
const MULTIPLES = [1, 1.5, 2, 3, 5, Number.POSITIVE_INFINITY];

/** Soft, of all peers of a partition together: their round trips, on average, at most so many milliseconds. */
export const latencyLadder = ({ maxLatencyMs }: PlacementRules): Ladder<number> => ({
  steps: MULTIPLES.map((multiple) => maxLatencyMs * multiple),
  reason: (limit) =>
    `too few peers are near enough for ${maxLatencyMs} ms on average; ` +
    (limit === Number.POSITIVE_INFINITY ? 'any round trip was allowed' : `up to ${limit} ms was allowed`),
});

/**
 * What a peer adds to the sum that must not exceed 0 for the average to keep the limit. One not measured yet is taken for
 * exactly as slow as is allowed: it neither helps others over the limit nor is it held against itself.
 */
export const latencyExcess = ({ latencyMs }: Pick<Candidate, 'latencyMs'>, limit: number): number =>
  latencyMs === undefined || limit === Number.POSITIVE_INFINITY ? 0 : latencyMs - limit;
