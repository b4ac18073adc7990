import type { Assessment, Requirement } from './assessment.ts';
import { replicationOf } from './code-shape.ts';
import { formatAvailability } from './figures.ts';
import { allowedUnavailability, type SlaLevel } from './level.ts';
import type { Shortfall } from './plan.ts';

export function shortfallsInWords(found: Assessment, level: SlaLevel): Shortfall[] {
  const { shape, spread, regions, unavailability } = found;
  const words: Record<Requirement, string> = {
    availability:
      `availability reaches ${formatAvailability(unavailability)} instead of ` +
      formatAvailability(allowedUnavailability(level)),
    replication: `replication reaches ${replicationOf(shape)} instead of ${level.replication}`,
    regions: `the shards may lie in ${regions} regions instead of ${level.regions}`,
    continents: `the shards may lie on ${spread.continents} continents instead of ${level.continents}`,
    'region-loss': `a region may have ${spread.perRegion} shards, more than can be lost`,
  };
  return found.shortfalls.map((requirement) => ({ requirement, text: words[requirement] }));
}
