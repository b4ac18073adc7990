import { MAX_STRIPE_SHARDS } from '@holdfast/contracts';
import type { PlacementRules, PlacementSettings } from '../placement-rules.ts';
import { type Assessment, assess, compareAssessments, compareShapes } from './assessment.ts';
import { rulesFor, type SpreadInForce, spreadInForce } from './code-rules.ts';
import { type CodeShape, peersOf } from './code-shape.ts';
import type { SlaLevel } from './level.ts';
import type { SlaSettings } from './settings.ts';
import type { UsablePeers } from './usable-peers.ts';

export interface CodeSearch {
  readonly usable: UsablePeers;
  readonly level: SlaLevel;
  readonly settings: SlaSettings;
  readonly wishes: Partial<PlacementSettings>;
  /** Replication factor R that is aimed at. */
  readonly wanted: number;
}

/** The best code that keeps all that the level asks for. Null when there is none. */
export function meetingCode(search: CodeSearch): Assessment | null {
  const ordered = shapesIn(search).sort((a, b) => compareShapes(a, b, search.wanted));
  for (const shape of ordered) {
    const hoped = hopefulAssessment(shape, search);
    if (hoped === null || hoped.shortfalls.length > 0) continue;
    const found = soberAssessment(hoped, search);
    if (found !== null && found.shortfalls.length === 0) return found;
  }
  return null;
}

/**
 * The best code among those that can be placed, whatever it lacks. Null when none can. The costly question, what the
 * assigner would do, is put in the order of hopes and no longer once the rest cannot hope for better than what was found.
 */
export function nearestCode(search: CodeSearch): Assessment | null {
  const better = (a: Assessment, b: Assessment): number => compareAssessments(a, b, search.wanted);
  const hoped = shapesIn(search).flatMap((shape) => hopefulAssessment(shape, search) ?? []);
  let best: Assessment | null = null;
  for (const hope of hoped.sort(better)) {
    if (best !== null && better(best, hope) <= 0) break;
    const found = soberAssessment(hope, search);
    if (found !== null && (best === null || better(found, best) < 0)) best = found;
  }
  return best;
}

/** All codes in the range of the settings that there are peers for, spares aside. */
export function shapesIn({ usable, settings }: CodeSearch): CodeShape[] {
  const isErasure = settings.scheme === 'erasure';
  const [least, most] = isErasure ? [1, 1] : [settings.minCopies, settings.maxCopies];
  const shapes: CodeShape[] = [];
  for (let copies = least; copies <= most; copies++) {
    const largest = Math.min(MAX_STRIPE_SHARDS, Math.floor((usable.peers.length - settings.spares) / copies));
    for (let k = settings.minK; k <= settings.maxK; k++) {
      // Parity is what bears losses with one copy each; several copies can do without.
      for (let m = isErasure ? 1 : 0; m <= Math.min(settings.maxParity, largest - k); m++) {
        shapes.push({ k, m, copies });
      }
    }
  }
  return shapes;
}

/**
 * As if soft rules had to give way no further than the sizes of regions and operators alone demand. Never worse than what comes of
 * it. Null when operators or the number of peers rule the code out already.
 */
function hopefulAssessment(shape: CodeShape, search: CodeSearch): Assessment | null {
  const { usable, level, settings, wishes } = search;
  const rules = rulesFor(shape, level, wishes, settings.shardBytes);
  const need = peersOf(shape);
  if (need < rules.minDistinctPeers || roomIn(usable.operators, rules.maxPerOperator) < need) return null;
  return assess(shape, rules, hopefulSpread(rules, usable), level, usable, settings.regionOutage);
}

function hopefulSpread(rules: PlacementRules, usable: UsablePeers): SpreadInForce {
  const need = peersOf(rules);
  let perRegion = Math.min(need, rules.maxPerRegion);
  while (roomIn(usable.regions, perRegion) < need) perRegion += 1;
  return { perRegion, continents: Math.min(rules.minContinents, usable.continents) };
}

function soberAssessment({ shape, rules }: Assessment, search: CodeSearch): Assessment | null {
  const { usable, level, settings } = search;
  const spread = spreadInForce(usable.candidates, rules);
  return spread && assess(shape, rules, spread, level, usable, settings.regionOutage);
}

/** How many shards fit when no group gets more than `limit`. */
function roomIn(groups: UsablePeers['regions'], limit: number): number {
  let room = 0;
  for (const peers of groups.values()) room += Math.min(peers.length, limit);
  return room;
}
