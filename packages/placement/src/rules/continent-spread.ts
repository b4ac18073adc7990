import type { Region } from '@holdfast/contracts';
import type { PlacementRules } from '../placement-rules.ts';

/** `eu/de/berlin` → `eu`. */
export function continentKey(region: Region): string {
  const slash = region.indexOf('/');
  return slash < 0 ? region : region.slice(0, slash);
}

/** Soft: from the number asked for down to one. */
export function continentSteps(rules: PlacementRules): number[] {
  return Array.from({ length: rules.minContinents }, (_, fewer) => rules.minContinents - fewer);
}

export const continentReason = (count: number, rules: PlacementRules): string =>
  `peers on ${rules.minContinents} continents are not to be had; the shards lie on ${count}`;
