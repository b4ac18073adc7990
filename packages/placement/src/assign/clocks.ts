import { EarlyKernel } from './early-kernel.ts';
import { pairHash, type Token } from './pair-hash.ts';
import type { Roster } from './roster.ts';

const WORD = 2 ** 32;
/** So many are looked for at first, in expectation: enough for the peers needed and some that are passed over. */
const expectedFor = (need: number): number => need + 4 * Math.sqrt(need) + 4;
/** Where rules pass over most peers, that is too few time after time; up to so many times as many are looked for then. */
const FARTHEST = 8;
/** Misses after which the horizon may move on for good: when they are more than one in ten. */
const MISSES = 8;

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar; weights by exponential clocks, as in Efraimidis and Spirakis): peer i
 * rings at −ln(1 − u_i) / w_i with u_i uniform from the hash of partition and peer, and the earliest are preferred. Each
 * clock depends on nothing but its own peer, so a peer that joins or leaves changes only whom it displaces or lets in.
 *
 * Only those that ring early are of interest. A clock rings before the horizon exactly if its hash is below a threshold, so
 * that one comparison passes over a peer, without a logarithm; where those found do not suffice, the horizon moves on.
 */
export class Clocks {
  readonly #roster: Roster;
  readonly #need: number;
  /** Whether the peer may be chosen at all, at the present limits. */
  readonly #open: Uint8Array;
  readonly #threshold: Float64Array;
  #horizon = 0;
  #reach = 1;
  #missed = 0;
  #lookedEarly = 0;
  /** How many ring before the horizon, in expectation. */
  #expected = 0;
  #openCount = 0;
  /** Rows in order of preference, and their times: valid up to `found`. */
  readonly order: Int32Array;
  readonly #time: Float64Array;
  found = 0;
  /** Made when a second partition comes: for one alone it would cost more than it saves. */
  #kernel: EarlyKernel | null = null;
  #asked = false;

  constructor(roster: Roster, need: number) {
    this.#roster = roster;
    this.#need = need;
    this.#open = new Uint8Array(roster.size);
    this.#threshold = new Float64Array(roster.size);
    this.order = new Int32Array(roster.size);
    this.#time = new Float64Array(roster.size);
  }

  get openCount(): number {
    return this.#openCount;
  }

  isOpen(row: number): boolean {
    return this.#open[row] === 1;
  }

  openOnly(admits: (row: number) => boolean): void {
    this.#openCount = 0;
    for (let row = 0; row < this.#roster.size; row++) {
      this.#open[row] = admits(row) ? 1 : 0;
      this.#openCount += this.#open[row]!;
    }
    this.#setHorizon();
  }

  /** After a peer's weight has changed, or when it is full. */
  update(row: number, open: boolean): void {
    this.#expected -= this.#threshold[row]! / WORD;
    this.#openCount += (open ? 1 : 0) - this.#open[row]!;
    this.#open[row] = open ? 1 : 0;
    this.#setThreshold(row);
    this.#expected += this.#threshold[row]! / WORD;
    if (this.#expected < 0.8 * this.#wanted && this.#horizon < Number.POSITIVE_INFINITY) {
      this.#setHorizon();
    }
  }

  /** The early ones did not suffice. Moves the horizon on when that happens often; the order does not depend on it. */
  noteMiss(): void {
    this.#missed += 1;
    if (this.#missed < MISSES || this.#missed * 10 < this.#lookedEarly || this.#reach === FARTHEST) return;
    this.#reach *= 2;
    this.#setHorizon();
  }

  /** Finds the earliest of the open peers, in order. True when these are all that there are. */
  early(partition: Token): boolean {
    this.#lookedEarly += 1;
    if (this.#asked) this.#scanEarly(partition);
    else this.#scanAll(partition, this.#threshold);
    this.#asked = true;
    this.#sort();
    return this.found === this.#openCount;
  }

  /** All open peers in order of preference. Weight 0 rings never: last, in an order that does not depend on the input's. */
  all(partition: Token): void {
    const { ids, weight } = this.#roster;
    this.#scanAll(partition, null);
    const time = new Map<number, number>();
    for (let i = 0; i < this.found; i++) time.set(this.order[i]!, this.#time[i]!);
    const byId = (a: number, b: number): number => (ids[a]! < ids[b]! ? -1 : 1);
    this.order.subarray(0, this.found).sort((a, b) => {
      const between = (weight[a] === 0 ? 1 : 0) - (weight[b] === 0 ? 1 : 0);
      return between || time.get(a)! - time.get(b)! || byId(a, b);
    });
  }

  #scanAll([low, high]: Token, threshold: Float64Array | null): void {
    const { tokenLow, tokenHigh, weight, size } = this.#roster;
    let found = 0;
    for (let row = 0; row < size; row++) {
      const hash = pairHash(tokenLow[row]!, tokenHigh[row]!, low, high);
      if (threshold === null ? this.#open[row] === 0 : hash >= threshold[row]!) continue;
      this.order[found] = row;
      this.#time[found] = -Math.log1p(-(hash + 0.5) / WORD) / (weight[row]! || 1);
      found += 1;
    }
    this.found = found;
  }

  #scanEarly(partition: Token): void {
    this.#kernel ??= this.#newKernel();
    const { rows, hashes } = this.#kernel;
    const { weight } = this.#roster;
    const count = this.#kernel.scan(partition);
    let found = 0;
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      const hash = hashes[row]!;
      if (!(hash < this.#threshold[row]!)) continue;
      this.order[found] = row;
      this.#time[found] = -Math.log1p(-(hash + 0.5) / WORD) / weight[row]!;
      found += 1;
    }
    this.found = found;
  }

  #newKernel(): EarlyKernel {
    const { tokenLow, tokenHigh, size } = this.#roster;
    const kernel = new EarlyKernel(tokenLow, tokenHigh);
    for (let row = 0; row < size; row++) kernel.setLimit(row, limitFor(this.#threshold[row]!));
    return kernel;
  }

  /** By insertion: few, and half in order already is not rare. */
  #sort(): void {
    const { ids } = this.#roster;
    const { order } = this;
    const time = this.#time;
    for (let i = 1; i < this.found; i++) {
      const at = time[i]!;
      const row = order[i]!;
      let j = i - 1;
      for (; j >= 0 && (time[j]! > at || (time[j] === at && ids[order[j]!]! > ids[row]!)); j--) {
        time[j + 1] = time[j]!;
        order[j + 1] = order[j]!;
      }
      time[j + 1] = at;
      order[j + 1] = row;
    }
  }

  /** So late that the expected number of peers ring before it; for ever in a swarm of hardly more than that. */
  #setHorizon(): void {
    const wanted = this.#wanted;
    const { weight, size } = this.#roster;
    this.#missed = 0;
    this.#lookedEarly = 0;
    if (this.#openCount <= 1.5 * wanted) {
      this.#horizon = Number.POSITIVE_INFINITY;
    } else {
      let total = 0;
      for (let row = 0; row < size; row++) if (this.#open[row] === 1) total += weight[row]!;
      this.#horizon = wanted / total;
      // Few heavy peers ring but once each, however often their weight would have it: a few steps make up for that.
      for (let step = 0; step < 30; step++) {
        const short = this.#expectBefore(this.#horizon) / wanted;
        if (short > 0.98 || total === 0) break;
        this.#horizon *= Math.min(2, 1 / short);
      }
    }
    this.#expected = 0;
    for (let row = 0; row < size; row++) {
      this.#setThreshold(row);
      this.#expected += this.#threshold[row]! / WORD;
    }
  }

  #expectBefore(horizon: number): number {
    const { weight, size } = this.#roster;
    let expected = 0;
    for (let row = 0; row < size; row++) {
      if (this.#open[row] === 1) expected -= Math.expm1(-weight[row]! * horizon);
    }
    return expected;
  }

  get #wanted(): number {
    return this.#reach * expectedFor(this.#need);
  }

  #setThreshold(row: number): void {
    const weight = this.#roster.weight[row]!;
    const closed = this.#open[row] === 0 || weight === 0;
    const threshold = closed ? 0 : -Math.expm1(-weight * this.#horizon) * WORD;
    this.#threshold[row] = threshold;
    this.#kernel?.setLimit(row, limitFor(threshold));
  }
}

/** The largest word below the threshold; for a threshold of 0 there is none, and 0 lets one word too many through. */
const limitFor = (threshold: number): number => Math.max(0, Math.ceil(threshold) - 1);
