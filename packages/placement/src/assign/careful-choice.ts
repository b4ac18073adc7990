import { canComplete } from './completion.ts';
import type { Tally } from './tally.ts';

/** With failure domains beside operators and regions the search may have to go back; so many steps are enough, or it ends. */
const MOST_STEPS = 500;

/**
 * The first peers in order of preference that keep the limits together, into the tally; false when there are none. Takes each
 * only if the rest can still be completed, so that it never has to go back, but for failure domains: a peer may be in
 * several, which makes the question one of matching in three dimensions (NP-hard), and the search is bounded.
 */
export function chooseCarefully(tally: Tally, preferred: readonly number[]): boolean {
  if (!canComplete(tally, preferred)) return false;
  const search = new Search(tally, preferred);
  if (search.from(0, new Set())) return true;
  tally.clear();
  return false;
}

class Search {
  readonly #tally: Tally;
  readonly #preferred: readonly number[];
  #steps = 0;

  constructor(tally: Tally, preferred: readonly number[]) {
    this.#tally = tally;
    this.#preferred = preferred;
  }

  /** @param known kinds of peers that were refused before: whatever has been taken since, they are of no more use. */
  from(start: number, known: ReadonlySet<string>): boolean {
    const tally = this.#tally;
    if (tally.missing === 0) return tally.isDone;
    const refused = new Set(known);
    for (let at = start; at < this.#preferred.length; at++) {
      const row = this.#preferred[at]!;
      const kind = this.#kind(row);
      if (refused.has(kind) || !tally.admits(row)) continue;
      tally.take(row);
      const rest = this.#preferred.slice(at + 1);
      if (canComplete(tally, rest) && this.from(at + 1, refused)) return true;
      tally.giveBack();
      this.#steps += 1;
      if (this.#steps > MOST_STEPS) return false;
      refused.add(kind);
    }
    return false;
  }

  /** A peer does as well as another of its kind: once one is refused, so are the rest, for good. */
  #kind(row: number): string {
    const { roster, excess } = this.#tally;
    return `${roster.operator[row]} ${roster.region[row]} ${excess[row]} ${roster.domainsOf[row]}`;
  }
}
