import type { Candidate } from '../candidate.ts';
import { regionKey } from '../rules/region-spread.ts';
import { canComplete } from './completion.ts';
import { type Limits, Selection, type Standing } from './selection.ts';

/**
 * The first peers in order of preference that keep the limits together; null when no choice of `need` peers does.
 * A walk that takes whoever is admitted succeeds nearly always, and then nothing better exists. Where operators
 * and regions overlap awkwardly it can paint itself into a corner; then each step is taken only if the rest can
 * still be completed, which finds the same answer whenever both do.
 */
export function choose(
  preferred: readonly Candidate[],
  need: number,
  limits: Limits,
  standing: Standing,
): Candidate[] | null {
  const selection = new Selection(need, limits, standing);
  for (const candidate of preferred) {
    if (selection.missing === 0) break;
    if (selection.admits(candidate)) selection.add(candidate);
  }
  if (selection.missing === 0 && selection.missingContinents === 0) return selection.chosen;
  const start = new Selection(need, limits, standing);
  return canComplete(start, preferred) ? chooseCarefully(preferred, start) : null;
}

function chooseCarefully(preferred: readonly Candidate[], start: Selection): Candidate[] {
  let selection = start;
  // One peer of an operator in a region does as well as another: once one is refused, so are the rest, for good.
  const refused = new Set<string>();
  for (const [at, candidate] of preferred.entries()) {
    if (selection.missing === 0) break;
    const kind = `${candidate.operator}\n${regionKey(candidate.region)}`;
    if (refused.has(kind) || !selection.admits(candidate)) continue;
    const next = selection.with(candidate);
    if (canComplete(next, preferred.slice(at + 1))) selection = next;
    else refused.add(kind);
  }
  return selection.chosen;
}
