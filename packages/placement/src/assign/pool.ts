import type { PeerId } from '@holdfast/contracts';
import type { Candidate } from '../candidate.ts';
import type { PlacementRules } from '../placement-rules.ts';
import { isWithin, type Ladders, type Levels, laddersOf, limitsAt } from '../rules/ladders.ts';
import { isAboveFloor } from '../rules/reputation.ts';
import { hasRoom } from '../rules/room.ts';
import { chooseCarefully } from './careful-choice.ts';
import { Clocks } from './clocks.ts';
import { canComplete } from './completion.ts';
import { leastRelaxed } from './least-relaxed.ts';
import type { Token, Tokens } from './pair-hash.ts';
import { Roster } from './roster.ts';
import { type Standing, Tally } from './tally.ts';

export const NOBODY: ReadonlySet<PeerId> = new Set();

/** Candidates prepared for choosing among them: `settle` finds the limits to choose within, `pick` chooses. */
export class Pool {
  readonly rules: PlacementRules;
  readonly ladders: Ladders;
  readonly roster: Roster;
  readonly #clocks: Clocks;
  readonly #tally: Tally;
  #levels: Levels | null = null;

  constructor(candidates: readonly Candidate[], rules: PlacementRules, need: number, tokens: Tokens) {
    this.rules = rules;
    this.ladders = laddersOf(rules);
    this.roster = new Roster(candidates, tokens);
    this.#clocks = new Clocks(this.roster, need);
    this.#tally = new Tally(this.roster);
  }

  /**
   * The least levels at which the limits leave a choice, and makes them the ones in force. Null when no choice keeps
   * the hard rules.
   */
  settle(need: number, standing: Standing, barred: ReadonlySet<PeerId>): Levels | null {
    this.#levels = leastRelaxed(this.ladders, (levels) => this.#isPossible(levels, need, standing, barred));
    if (this.#levels) this.#enforce(this.#levels, need, standing, barred);
    return this.#levels;
  }

  /** Peers in the order of these clocks, within the limits in force. Null: none are found by taking whoever is admissible. */
  pick(token: Token, barred: ReadonlySet<PeerId>): PeerId[] | null {
    const all = this.#clocks.early(token);
    if (this.#walk(barred)) return this.#chosen();
    if (all) return null;
    this.#clocks.noteMiss();
    this.#clocks.all(token);
    return this.#walk(barred) ? this.#chosen() : null;
  }

  /** The same, looking ahead at each peer whether the rest can still be found. Finds what there is, and takes its time. */
  pickCarefully(token: Token, barred: ReadonlySet<PeerId>): PeerId[] | null {
    this.#clocks.all(token);
    const { order, found } = this.#clocks;
    const preferred = [...order.subarray(0, found)].filter((row) => !barred.has(this.roster.ids[row]!));
    this.#tally.clear();
    return chooseCarefully(this.#tally, preferred) ? this.#chosen() : null;
  }

  reserve(row: number, bytes: number): void {
    this.roster.reserve(row, bytes);
    if (this.#levels === null || !this.#clocks.isOpen(row)) return;
    this.#clocks.update(row, this.#isOpenAt(this.#levels, row));
  }

  /** Candidates are taken in order of preference if they are admissible next to those taken before. */
  #walk(barred: ReadonlySet<PeerId>): boolean {
    const { order, found } = this.#clocks;
    const tally = this.#tally;
    tally.clear();
    for (let i = 0; i < found && tally.missing > 0; i++) {
      const row = order[i]!;
      if (tally.admits(row) && !(barred.size > 0 && barred.has(this.roster.ids[row]!))) tally.take(row);
    }
    return tally.isDone;
  }

  #chosen(): PeerId[] {
    return this.#tally.chosen.map((row) => this.roster.ids[row]!);
  }

  #isPossible(levels: Levels, need: number, standing: Standing, barred: ReadonlySet<PeerId>): boolean {
    this.#enforce(levels, need, standing, barred);
    if (this.#clocks.openCount < need) return false;
    const open = this.roster.ids.keys().filter((row) => this.#clocks.isOpen(row));
    return this.roster.hasDomains ? chooseCarefully(this.#tally, [...open]) : canComplete(this.#tally, open);
  }

  #enforce(levels: Levels, need: number, standing: Standing, barred: ReadonlySet<PeerId>): void {
    this.#clocks.openOnly((row) => this.#isOpenAt(levels, row) && !barred.has(this.roster.ids[row]!));
    this.#tally.start(need, limitsAt(this.ladders, levels), standing);
  }

  #isOpenAt(levels: Levels, row: number): boolean {
    const candidate = this.roster.candidate(row);
    const { rules } = this;
    // The first two are hard, and do not rely on where the ladders of the soft rules end.
    return (
      hasRoom(candidate, rules) &&
      isAboveFloor(candidate, rules) &&
      isWithin(candidate, limitsAt(this.ladders, levels), rules.shardBytes)
    );
  }
}
