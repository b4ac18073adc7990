import type { Region } from '@holdfast/contracts';
import { type PlacementRules, peersNeeded } from '../placement-rules.ts';
import type { Ladder } from './ladder.ts';

/** `eu/de/berlin` → `eu/de`: what a disaster or a court order reaches at once. */
export function regionKey(region: Region): string {
  const first = region.indexOf('/');
  const second = first < 0 ? -1 : region.indexOf('/', first + 1);
  return second < 0 ? region : region.slice(0, second);
}

/** Soft: limits from the one asked for up to "all in one region", one more at a time. */
export function regionLadder(rules: PlacementRules): Ladder<number> {
  const { maxPerRegion } = rules;
  const steps = [maxPerRegion];
  for (let limit = maxPerRegion + 1; limit <= peersNeeded(rules); limit++) steps.push(limit);
  return {
    steps,
    reason: (limit) =>
      `too few regions for at most ${maxPerRegion} shards in each; up to ${limit} share a region`,
  };
}
