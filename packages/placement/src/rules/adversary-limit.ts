import type { PlacementRules } from '../placement-rules.ts';

/**
 * Hard. The peers of one operator, and those of one failure domain, count as one adversary: together they may hold at most
 * `limit` < k different shards. Past holders count for T windows (what was sent cannot be unsent); a shard that moved from one peer of
 * an adversary to another counts once.
 */
export class AdversaryCount {
  readonly limit: number;
  readonly #indices = new Map<string, Set<number>>();
  /** Shards at peers of whom nobody knows whose they are: any adversary could be behind them, so each is charged. */
  readonly #unknown = new Set<number>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** @param adversary undefined: not known */
  add(adversary: string | undefined, index: number): void {
    if (adversary === undefined) {
      this.#unknown.add(index);
      return;
    }
    const indices = this.#indices.get(adversary);
    if (indices) indices.add(index);
    else this.#indices.set(adversary, new Set([index]));
  }

  /** How many further shards it may get. */
  spare(adversary: string): number {
    const known = this.#indices.get(adversary);
    if (this.#unknown.size === 0) return this.limit - (known?.size ?? 0);
    return this.limit - new Set([...this.#unknown, ...(known ?? [])]).size;
  }

  get isEmpty(): boolean {
    return this.#indices.size === 0 && this.#unknown.size === 0;
  }
}

export interface AdversaryCounts {
  readonly operators: AdversaryCount;
  readonly failureDomains: AdversaryCount;
}

export const noShardsYet = (rules: PlacementRules): AdversaryCounts => ({
  operators: new AdversaryCount(rules.maxPerOperator),
  failureDomains: new AdversaryCount(rules.maxPerFailureDomain),
});
