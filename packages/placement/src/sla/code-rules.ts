import { Tokens } from '../assign/pair-hash.ts';
import { NOBODY, Pool } from '../assign/pool.ts';
import type { Candidate } from '../candidate.ts';
import { defaultSettings, type PlacementRules, type PlacementSettings } from '../placement-rules.ts';
import { noShardsYet } from '../rules/adversary-limit.ts';
import { limitsAt } from '../rules/ladders.ts';
import { type CodeShape, peersOf, replicationOf } from './code-shape.ts';
import type { SlaLevel } from './level.ts';

/**
 * The rules that a code of this shape is placed under to keep the level's promises. Where more than one region is asked for, no
 * operator, failure domain or region gets more peers than can be lost, and so few shards lie in each region that
 * there must be as many regions as the level wants.
 * @param wishes stricter or looser figures of the owner; never looser than the promises
 */
export function rulesFor(
  shape: CodeShape,
  level: SlaLevel,
  wishes: Partial<PlacementSettings>,
  shardBytes: number,
): PlacementRules {
  const { k, m } = shape;
  const base = { ...defaultSettings(k), ...wishes };
  const isSpread = level.regions > 1;
  const bearable = replicationOf(shape) - 1;
  const perAdversary = (wish: number | undefined): number =>
    Math.min(k - 1, wish ?? bearable, isSpread ? bearable : k - 1);
  const perRegion = Math.floor((peersOf(shape) - 1) / (level.regions - 1));
  return {
    ...base,
    ...shape,
    shardBytes,
    maxPerOperator: perAdversary(wishes.maxPerOperator),
    maxPerFailureDomain: perAdversary(wishes.maxPerFailureDomain),
    maxPerRegion: isSpread
      ? Math.max(1, Math.min(base.maxPerRegion, bearable, perRegion))
      : base.maxPerRegion,
    minContinents: Math.min(k + m, Math.max(base.minContinents, level.continents)),
  };
}

/** What placements of the code keep to, once soft rules have given way as far as they must. */
export interface SpreadInForce {
  /** Most shards of a partition, copies counted, in one region. */
  readonly perRegion: number;
  readonly continents: number;
}

/** The limits are found whoever comes first; any salt does. */
const TOKENS = new Tokens(new Uint8Array());

/** Null when no choice of peers keeps the hard rules. Asks the assigner itself, so that the plan is about what it will do. */
export function spreadInForce(candidates: readonly Candidate[], rules: PlacementRules): SpreadInForce | null {
  const need = peersOf(rules);
  const pool = new Pool(candidates, rules, need, TOKENS);
  const levels = pool.settle(need, { adversaries: noShardsYet(rules), kept: [] }, NOBODY);
  if (levels === null) return null;
  const limits = limitsAt(pool.ladders, levels);
  return { perRegion: Math.min(need, limits.region), continents: limits.continent };
}
