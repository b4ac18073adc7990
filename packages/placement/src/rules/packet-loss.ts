import type { Candidate } from '../candidate.ts';
import type { PlacementRules } from '../placement-rules.ts';
import { type Ladder, percent } from './ladder.ts';

/** Soft: less than this share of packets lost, of each peer. Steps of twice as much; then any. */
export const packetLossLadder = ({ maxPacketLoss }: PlacementRules): Ladder<number> => ({
  steps: [maxPacketLoss, 2 * maxPacketLoss, 4 * maxPacketLoss].filter((limit) => limit < 1).concat(2),
  reason: (limit) =>
    `too few peers lose less than ${percent(maxPacketLoss)} of packets; ` +
    (limit > 1 ? 'any loss was allowed' : `less than ${percent(limit)} was allowed`),
});

export const isWithinLoss = ({ packetLoss }: Candidate, limit: number): boolean => (packetLoss ?? 0) < limit;
