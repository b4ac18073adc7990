import type { PlacementRules } from '../placement-rules.ts';
import type { SpreadInForce } from './code-rules.ts';
import { type CodeShape, peersOf, replicationOf, shardsLostWith } from './code-shape.ts';
import { allowedUnavailability, type SlaLevel } from './level.ts';
import type { UsablePeers } from './usable-peers.ts';
import { leastReliable, worstUnavailability } from './worst-placement.ts';

/** What a level asks for. Losing any one operator is not among them: the rules of every code that is looked at see to it. */
export type Requirement = 'availability' | 'replication' | 'regions' | 'continents' | 'region-loss';

/** A code among these peers, held against the level. */
export interface Assessment {
  readonly shape: CodeShape;
  readonly rules: PlacementRules;
  readonly spread: SpreadInForce;
  /** Fewest regions that a placement can lie in. */
  readonly regions: number;
  /** That no placement exceeds. */
  readonly unavailability: number;
  /** What it does not keep; none: the level is met. */
  readonly shortfalls: readonly Requirement[];
}

/** The target and the figure come by different sums: a difference of rounding must not decide. */
const SLACK = 1e-9;

export function assess(
  shape: CodeShape,
  rules: PlacementRules,
  inForce: SpreadInForce,
  level: SlaLevel,
  usable: UsablePeers,
  regionOutage: number,
): Assessment {
  const need = peersOf(shape);
  const sizes = [...usable.regions.values()].map((peers) => peers.length);
  const perRegion = Math.min(inForce.perRegion, Math.max(...sizes));
  const regions = fewestRegions(need, sizes, perRegion);
  const unavailability = worstUnavailability({
    shape,
    failures: leastReliable(usable.peers, need, rules.maxPerOperator),
    regions: usable.regions.size,
    perRegion,
    regionOutage,
  });
  const failed: Record<Requirement, boolean> = {
    availability: unavailability > allowedUnavailability(level) * (1 + SLACK),
    replication: replicationOf(shape) < level.replication,
    regions: regions < level.regions,
    continents: inForce.continents < level.continents,
    'region-loss': level.regions > 1 && shardsLostWith(perRegion, shape) > shape.m,
  };
  const shortfalls = (Object.keys(failed) as Requirement[]).filter((requirement) => failed[requirement]);
  return { shape, rules, spread: { ...inForce, perRegion }, regions, unavailability, shortfalls };
}

function fewestRegions(need: number, sizes: readonly number[], perRegion: number): number {
  let [regions, room] = [0, 0];
  for (const size of sizes.toSorted((a, b) => b - a)) {
    if (room >= need) break;
    room += Math.min(size, perRegion);
    regions += 1;
  }
  return regions;
}

/**
 * Which of two is the better choice, negative when it is `a`: fewer requirements not kept; the more available if that is wanting; as many
 * holders as wanted, or as near as can be; less storage; fewer shards.
 */
export function compareAssessments(a: Assessment, b: Assessment, wanted: number): number {
  return (
    a.shortfalls.length - b.shortfalls.length ||
    lackOf(a) - lackOf(b) ||
    compareShapes(a.shape, b.shape, wanted)
  );
}

const lackOf = ({ shortfalls, unavailability }: Assessment): number =>
  shortfalls.includes('availability') ? unavailability : 0;

export function compareShapes(a: CodeShape, b: CodeShape, wanted: number): number {
  return (
    Math.min(wanted, replicationOf(b)) - Math.min(wanted, replicationOf(a)) ||
    // Storage, as fractions with whole numbers: 5/3 · 3 and 5/2 · 2 must not differ.
    peersOf(a) * b.k - peersOf(b) * a.k ||
    peersOf(a) - peersOf(b) ||
    a.copies - b.copies
  );
}
