import { closest, distance } from 'fastest-levenshtein';

/** The name most like `wrong`, or null when none is close enough to be a slip of the fingers. */
export function nearest(wrong: string, names: readonly string[]): string | null {
  if (names.length === 0) return null;
  const fold = new Map(names.map((name) => [name.toLowerCase(), name]));
  const best = closest(wrong.toLowerCase(), [...fold.keys()]);
  const allowed = Math.max(2, Math.floor(Math.max(wrong.length, best.length) / 3));
  return distance(wrong.toLowerCase(), best) <= allowed ? fold.get(best)! : null;
}
