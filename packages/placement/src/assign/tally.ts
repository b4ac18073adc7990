import type { PeerId } from '@holdfast/contracts';
import type { AdversaryCounts } from '../rules/adversary-limit.ts';
import type { Limits } from '../rules/ladders.ts';
import { latencyExcess } from '../rules/latency.ts';
import type { Roster } from './roster.ts';

/** What stays as it is while some shards get peers. For a new partition there is nothing of it. */
export interface Standing {
  readonly adversaries: AdversaryCounts;
  /** The peers of the shards that stay where they are, as far as they are among the candidates. */
  readonly kept: readonly PeerId[];
}

/** Sums of round trips are compared with this margin: floating point must not decide. */
const EXCESS_MARGIN = 1e-6;

/** Running counts while peers are chosen one after the other; `take` and `giveBack` undo each other. */
export class Tally {
  readonly roster: Roster;
  readonly chosen: number[] = [];
  need = 0;
  /** By number of operator, failure domain, region: how many more may be taken. */
  readonly operatorSpare: Int32Array;
  readonly domainSpare: Int32Array;
  readonly regionSpare: Int32Array;
  /** By number of continent: shards that lie there. */
  readonly onContinent: Int32Array;
  /** By row: what the peer adds to the sum of round trips over the limit. */
  readonly excess: Float64Array;
  #continents = 0;
  #wantedContinents = 0;
  #excess = 0;

  constructor(roster: Roster) {
    this.roster = roster;
    this.operatorSpare = new Int32Array(roster.operators.length);
    this.domainSpare = new Int32Array(roster.domains.length);
    this.regionSpare = new Int32Array(roster.regions.length);
    this.onContinent = new Int32Array(roster.continents.length);
    this.excess = new Float64Array(roster.size);
  }

  /** At these limits, with nothing chosen. Looks at every peer: for the next partition at the same limits, `clear` does. */
  start(need: number, limits: Limits, standing: Standing): void {
    const { roster } = this;
    const { operators, failureDomains } = standing.adversaries;
    this.need = need;
    this.chosen.length = 0;
    this.operatorSpare.fill(operators.limit);
    this.domainSpare.fill(failureDomains.limit);
    if (!operators.isEmpty) {
      for (const [i, name] of roster.operators.entries()) this.operatorSpare[i] = operators.spare(name);
    }
    if (!failureDomains.isEmpty) {
      for (const [i, name] of roster.domains.entries()) this.domainSpare[i] = failureDomains.spare(name);
    }
    this.regionSpare.fill(limits.region);
    this.onContinent.fill(0);
    for (let row = 0; row < roster.size; row++) {
      this.excess[row] = latencyExcess(roster.candidate(row), limits.latency);
    }
    this.#excess = 0;
    this.#wantedContinents = limits.continent;
    this.#continents = 0;
    this.#keep(standing);
  }

  get missing(): number {
    return this.need - this.chosen.length;
  }

  get missingContinents(): number {
    return Math.max(0, this.#wantedContinents - this.#continents);
  }

  /** What further peers may still add to the round trips over the limit. */
  get spareExcess(): number {
    return EXCESS_MARGIN - this.#excess;
  }

  /** All are chosen, and together they keep what can only be judged together. */
  get isDone(): boolean {
    return this.missing === 0 && this.missingContinents === 0 && this.spareExcess >= 0;
  }

  /** Whether the peer breaks no limit by itself; whether the rest can still be found is another question. */
  admits(row: number): boolean {
    const { roster } = this;
    if (!this.admitsAdversaries(row)) return false;
    if (this.regionSpare[roster.region[row]!]! < 1) return false;
    if (this.missingContinents < this.missing) return true;
    return this.missingContinents === 0 || this.onContinent[roster.continent[row]!] === 0;
  }

  /** The hard limits alone. */
  admitsAdversaries(row: number): boolean {
    if (this.operatorSpare[this.roster.operator[row]!]! < 1) return false;
    for (const domain of this.roster.domainsOf[row]!) if (this.domainSpare[domain]! < 1) return false;
    return true;
  }

  take(row: number): void {
    this.chosen.push(row);
    this.#count(row, 1);
  }

  giveBack(): void {
    this.#count(this.chosen.pop()!, -1);
  }

  clear(): void {
    while (this.chosen.length > 0) this.giveBack();
  }

  #count(row: number, by: number): void {
    const { roster } = this;
    this.operatorSpare[roster.operator[row]!]! -= by;
    this.regionSpare[roster.region[row]!]! -= by;
    this.#excess += by * this.excess[row]!;
    for (const domain of roster.domainsOf[row]!) this.domainSpare[domain]! -= by;
    this.#countContinent(roster.continent[row]!, by);
  }

  #countContinent(continent: number, by: number): void {
    const before = this.onContinent[continent]!;
    this.onContinent[continent] = before + by;
    if (before === 0) this.#continents += 1;
    else if (before + by === 0) this.#continents -= 1;
  }

  #keep({ kept }: Standing): void {
    const { roster } = this;
    for (const peer of kept) {
      const row = roster.row(peer);
      if (row === undefined) continue;
      this.#excess += this.excess[row]!;
      this.regionSpare[roster.region[row]!]! -= 1;
      this.#countContinent(roster.continent[row]!, 1);
    }
  }
}
