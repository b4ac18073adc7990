import type { Region } from '@holdfast/contracts';
import type { Candidate } from '../candidate.ts';
import { continentKey } from '../rules/continent-spread.ts';
import type { LoadLimit } from '../rules/load.ts';
import type { OperatorCount } from '../rules/operator-limit.ts';
import { regionKey } from '../rules/region-spread.ts';

/** The limits in force at one step of relaxation. */
export interface Limits {
  readonly load: LoadLimit;
  readonly minContinents: number;
  readonly maxPerRegion: number;
}

/** What stays as it is while some shards get peers: all of it empty for a new partition. */
export interface Standing {
  readonly operators: OperatorCount;
  /** One for each shard that keeps its peer. */
  readonly regions: readonly Region[];
}

/** Running counts while `need` peers are chosen one after the other. */
export class Selection {
  readonly limits: Limits;
  readonly chosen: Candidate[] = [];
  readonly #need: number;
  readonly #standing: Standing;
  readonly #byOperator = new Map<string, number>();
  readonly #byRegion = new Map<string, number>();
  readonly #continents = new Set<string>();

  constructor(need: number, limits: Limits, standing: Standing) {
    this.#need = need;
    this.limits = limits;
    this.#standing = standing;
    for (const region of standing.regions) this.#count(region);
  }

  get missing(): number {
    return this.#need - this.chosen.length;
  }

  get missingContinents(): number {
    return Math.max(0, this.limits.minContinents - this.#continents.size);
  }

  operatorSpare(operator: string): number {
    return this.#standing.operators.spare(operator) - (this.#byOperator.get(operator) ?? 0);
  }

  regionSpare(region: string): number {
    return this.limits.maxPerRegion - (this.#byRegion.get(region) ?? 0);
  }

  isOnContinent(continent: string): boolean {
    return this.#continents.has(continent);
  }

  /** Whether the candidate breaks no limit by itself; whether the rest can still be found is another question. */
  admits(candidate: Candidate): boolean {
    if (this.operatorSpare(candidate.operator) < 1) return false;
    if (this.regionSpare(regionKey(candidate.region)) < 1) return false;
    if (this.missingContinents < this.missing) return true;
    return this.missingContinents === 0 || !this.isOnContinent(continentKey(candidate.region));
  }

  add(candidate: Candidate): void {
    this.chosen.push(candidate);
    this.#byOperator.set(candidate.operator, (this.#byOperator.get(candidate.operator) ?? 0) + 1);
    this.#count(candidate.region);
  }

  with(candidate: Candidate): Selection {
    const copy = new Selection(this.#need, this.limits, this.#standing);
    for (const earlier of this.chosen) copy.add(earlier);
    copy.add(candidate);
    return copy;
  }

  #count(region: Region): void {
    const key = regionKey(region);
    this.#byRegion.set(key, (this.#byRegion.get(key) ?? 0) + 1);
    this.#continents.add(continentKey(region));
  }
}
