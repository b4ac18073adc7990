import { SOFT_RULES } from '../placement-rules.ts';
import { type Ladders, type Levels, unrelaxed } from '../rules/ladders.ts';

/**
 * The least levels at which a placement exists. The rule that goes first is relaxed as far as need be before a later one yields
 * at all: so the last rule's least level is sought with all others given up, then that of the one before it, and so on.
 * What is recorded is therefore needed, all of it. Each ladder only ever widens, so that halving finds its least step.
 * @returns null when not even giving up everything helps
 */
export function leastRelaxed(ladders: Ladders, isPossible: (levels: Levels) => boolean): Levels | null {
  if (isPossible(unrelaxed)) return unrelaxed;
  const levels = { ...unrelaxed };
  for (const rule of SOFT_RULES) levels[rule] = ladders[rule].steps.length - 1;
  if (!isPossible(levels)) return null;
  for (const rule of SOFT_RULES.toReversed()) {
    let [low, high] = [0, levels[rule]];
    while (low < high) {
      const middle = (low + high) >> 1;
      levels[rule] = middle;
      if (isPossible(levels)) high = middle;
      else low = middle + 1;
    }
    levels[rule] = low;
  }
  return levels;
}
