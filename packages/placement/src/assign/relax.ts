import type { Candidate } from '../candidate.ts';
import type { PlacementRules, Relaxation } from '../placement-rules.ts';
import { continentKey, continentReason, continentSteps } from '../rules/continent-spread.ts';
import { isWithinLoad, loadReason, loadSteps } from '../rules/load.ts';
import { regionReason, regionSteps } from '../rules/region-spread.ts';
import { choose } from './choose.ts';
import type { Limits, Standing } from './selection.ts';

export interface Choice {
  readonly peers: readonly Candidate[];
  readonly relaxations: readonly Relaxation[];
}

/**
 * Gives up soft rules in the fixed order, a step at a time: the rule that goes first is the innermost loop, so a later
 * rule yields only where all steps of the earlier ones do not help, and then the earlier ones are tried in full force
 * again. What is recorded is therefore needed, all of it. Null when not even that helps.
 * @param preferred peers that keep the hard rules by themselves, in order of preference
 */
export function chooseRelaxing(
  preferred: readonly Candidate[],
  need: number,
  rules: PlacementRules,
  standing: Standing,
): Choice | null {
  for (const load of loadSteps(rules)) {
    const pool = preferred.filter((candidate) => isWithinLoad(candidate, load, rules.shardBytes));
    if (pool.length < need) continue;
    for (const minContinents of continentSteps(rules)) {
      for (const maxPerRegion of regionSteps(rules)) {
        const limits = { load, minContinents, maxPerRegion };
        const peers = choose(pool, need, limits, standing);
        if (peers) return { peers, relaxations: relaxationsFor(limits, rules, standing, peers) };
      }
    }
  }
  return null;
}

function relaxationsFor(
  limits: Limits,
  rules: PlacementRules,
  standing: Standing,
  peers: readonly Candidate[],
): Relaxation[] {
  const relaxations: Relaxation[] = [];
  if (limits.maxPerRegion > rules.maxPerRegion) {
    relaxations.push({ rule: 'region', reason: regionReason(limits.maxPerRegion, rules) });
  }
  if (limits.minContinents < rules.minContinents) {
    const regions = [...standing.regions, ...peers.map((peer) => peer.region)];
    const continents = new Set(regions.map(continentKey)).size;
    relaxations.push({ rule: 'continent', reason: continentReason(continents, rules) });
  }
  const { load } = limits;
  if (load.maxLoad > rules.maxLoad || load.headroomShards < rules.headroomShards) {
    relaxations.push({ rule: 'load', reason: loadReason(load, rules) });
  }
  return relaxations;
}
