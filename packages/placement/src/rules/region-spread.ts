import type { Region } from '@holdfast/contracts';
import type { PlacementRules } from '../placement-rules.ts';

/** `eu/de/berlin` → `eu/de`: what a disaster or a court order reaches at once. */
export function regionKey(region: Region): string {
  const first = region.indexOf('/');
  const second = first < 0 ? -1 : region.indexOf('/', first + 1);
  return second < 0 ? region : region.slice(0, second);
}

/** Soft: limits from the one asked for up to "all in one region", one more at a time. */
export function regionSteps(rules: PlacementRules): number[] {
  const steps = [rules.maxPerRegion];
  for (let limit = rules.maxPerRegion + 1; limit <= rules.k + rules.m; limit++) steps.push(limit);
  return steps;
}

export const regionReason = (limit: number, rules: PlacementRules): string =>
  `too few regions for at most ${rules.maxPerRegion} shards in each; up to ${limit} share a region`;
