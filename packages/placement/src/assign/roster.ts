import type { PeerId } from '@holdfast/contracts';
import { type Candidate, weightOf } from '../candidate.ts';
import { continentKey } from '../rules/continent-spread.ts';
import { regionKey } from '../rules/region-spread.ts';
import type { Tokens } from './pair-hash.ts';

/** Names as small numbers, in the order of their first mention. */
class Names {
  readonly list: string[] = [];
  readonly #numbers = new Map<string, number>();

  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.list.length);
    return this.list.push(name) - 1;
  }
}

const NO_DOMAINS: readonly number[] = [];

/** The candidates in columns: a peer is its row. What a choice looks at most often lies close together. */
export class Roster {
  readonly ids: readonly PeerId[];
  readonly operators: readonly string[];
  readonly domains: readonly string[];
  readonly regions: readonly string[];
  readonly continents: readonly string[];
  readonly operator: Int32Array;
  readonly region: Int32Array;
  readonly continent: Int32Array;
  /** Numbers of the failure domains of each. */
  readonly domainsOf: readonly (readonly number[])[];
  readonly hasDomains: boolean;
  readonly weight: Float64Array;
  readonly tokenLow: Int32Array;
  readonly tokenHigh: Int32Array;
  readonly #candidates: Candidate[];
  readonly #rows: ReadonlyMap<PeerId, number>;

  constructor(candidates: readonly Candidate[], tokens: Tokens) {
    const [operators, domains, regions, continents] = [new Names(), new Names(), new Names(), new Names()];
    const count = candidates.length;
    this.#candidates = [...candidates];
    this.ids = candidates.map(({ id }) => id);
    this.#rows = new Map(this.ids.map((id, row) => [id, row]));
    this.operator = Int32Array.from(candidates, ({ operator }) => operators.number(operator));
    this.region = Int32Array.from(candidates, ({ region }) => regions.number(regionKey(region)));
    this.continent = Int32Array.from(candidates, ({ region }) => continents.number(continentKey(region)));
    this.domainsOf = candidates.map(({ failureDomains }) =>
      failureDomains?.length ? [...new Set(failureDomains)].map((name) => domains.number(name)) : NO_DOMAINS,
    );
    this.operators = operators.list;
    this.domains = domains.list;
    this.regions = regions.list;
    this.continents = continents.list;
    this.hasDomains = domains.list.length > 0;
    this.weight = Float64Array.from(candidates, weightOf);
    this.tokenLow = new Int32Array(count);
    this.tokenHigh = new Int32Array(count);
    for (const [row, id] of this.ids.entries()) {
      const [low, high] = tokens.peer(id);
      this.tokenLow[row] = low;
      this.tokenHigh[row] = high;
    }
  }

  get size(): number {
    return this.ids.length;
  }

  row(peer: PeerId): number | undefined {
    return this.#rows.get(peer);
  }

  candidate(row: number): Candidate {
    return this.#candidates[row]!;
  }

  /** Room that is promised to a shard is not there for the next one. */
  reserve(row: number, bytes: number): void {
    const candidate = this.#candidates[row]!;
    const taken = { ...candidate, freeBytes: Math.max(0, candidate.freeBytes - bytes) };
    this.#candidates[row] = taken;
    this.weight[row] = weightOf(taken);
  }
}
