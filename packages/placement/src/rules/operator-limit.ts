/**
 * Hard. Peers of one operator count as one adversary: together they may ever hold at most `maxPerOperator` < k
 * different shards. Past holders count (what was sent cannot be unsent); a shard that moved from one peer of an
 * operator to another counts once.
 */
export class OperatorCount {
  readonly limit: number;
  readonly #indices = new Map<string, Set<number>>();
  /** Shards at peers whose operator nobody knows: any operator could be behind them, so each is charged. */
  readonly #unknown = new Set<number>();

  constructor(limit: number) {
    this.limit = limit;
  }

  add(operator: string | undefined, index: number): void {
    if (operator === undefined) {
      this.#unknown.add(index);
      return;
    }
    const indices = this.#indices.get(operator);
    if (indices) indices.add(index);
    else this.#indices.set(operator, new Set([index]));
  }

  /** How many further shards the operator may get. */
  spare(operator: string): number {
    const known = this.#indices.get(operator);
    if (this.#unknown.size === 0) return this.limit - (known?.size ?? 0);
    return this.limit - new Set([...this.#unknown, ...(known ?? [])]).size;
  }
}
