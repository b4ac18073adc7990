import type { Region } from '@holdfast/contracts';
import type { PlacementRules } from '../placement-rules.ts';
import type { Ladder } from './ladder.ts';

/** `eu/de/berlin` → `eu`. */
export function continentKey(region: Region): string {
  const slash = region.indexOf('/');
  return slash < 0 ? region : region.slice(0, slash);
}

/** Soft: from the number asked for down to one. */
export const continentLadder = ({ minContinents }: PlacementRules): Ladder<number> => ({
  steps: Array.from({ length: minContinents }, (_, fewer) => minContinents - fewer),
  reason: (limit) => `peers on ${minContinents} continents are not to be had; the shards lie on ${limit}`,
});
