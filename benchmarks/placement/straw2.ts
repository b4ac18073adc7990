import { mix } from './fast-hash.ts';

/** ln((h + 1) / 2¹⁶) for every 16-bit h: as many bits as Ceph's crush_ln looks at. */
const LOGARITHM = Float64Array.from({ length: 2 ** 16 }, (_, h) => Math.log((h + 1) / 2 ** 16));

/**
 * CRUSH's bucket of type straw2 (Weil et al., "CRUSH: Controlled, Scalable, Decentralized Placement of Replicated Data", SC 2006;
 * straw2: Ceph, 2014): each item draws a straw of length ln(u) / weight, and the longest wins. So a changed weight moves only
 * what its own item gains or loses.
 */
export class Straw2Bucket {
  readonly weight: number;
  readonly #ids: Int32Array;
  readonly #weights: Float64Array;

  /** @param items with ids that differ */
  constructor(items: readonly { readonly id: number; readonly weight: number }[]) {
    this.#ids = Int32Array.from(items, ({ id }) => id);
    this.#weights = Float64Array.from(items, ({ weight }) => weight);
    this.weight = items.reduce((sum, { weight }) => sum + weight, 0);
  }

  get size(): number {
    return this.#ids.length;
  }

  /** The position of the item that wins draw number `r` for the input `x`. */
  choose(x: number, r: number): number {
    const [ids, weights] = [this.#ids, this.#weights];
    let [longest, winner] = [Number.NEGATIVE_INFINITY, 0];
    for (let i = 0; i < ids.length; i++) {
      const straw = LOGARITHM[mix(x, ids[i]!, r) >>> 16]! / weights[i]!;
      if (straw > longest) {
        longest = straw;
        winner = i;
      }
    }
    return winner;
  }

  /**
   * crush_choose_indep, the variant for erasure codes: position `rep` draws with r = rep, rep + count, rep + 2 count … until it gets
   * an item that no position has. Ceph gives up after 50 or 100 such rounds and leaves the position empty.
   */
  chooseIndependently(x: number, count: number, into: number[]): void {
    into.length = count;
    into.fill(-1);
    let left = count;
    for (let round = 0; left > 0; round++) {
      if (round === MOST_ROUNDS) throw new Error(`CRUSH found no ${count} of ${this.size} items.`);
      for (let rep = 0; rep < count; rep++) {
        if (into[rep] !== -1) continue;
        const item = this.choose(x, rep + count * round);
        if (into.includes(item)) continue;
        into[rep] = item;
        left -= 1;
      }
    }
  }
}

const MOST_ROUNDS = 10_000;
