import type { Candidate } from '../../candidate.ts';
import type { PlacementRules, SoftRule } from '../../placement-rules.ts';
import { continentKey } from '../../rules/continent-spread.ts';
import { regionKey } from '../../rules/region-spread.ts';

/** The soft rules that a partition keeps or breaks as it lies; load is the peers' matter. Given up last comes first. */
const JUDGED = ['reputation', 'continent', 'region', 'packet-loss', 'latency'] as const;

/** By how much each of them is broken, in that order; 0: kept. */
export type Breakage = readonly number[];

/** An average round trip is near enough to another if they differ by less than this share of the limit. */
const LATENCY_STEP = 0.1;

/** How the soft rules stand for the peers that hold a partition, and how they would with one of them replaced. */
export class SoftStanding {
  readonly #rules: PlacementRules;
  readonly #off: ReadonlySet<SoftRule>;
  readonly #regions = new Map<string, number>();
  readonly #continents = new Map<string, number>();
  #crowding = 0;
  #excessMs = 0;
  #lossy = 0;
  #distrusted = 0;
  #peers = 0;

  constructor(holders: readonly Candidate[], rules: PlacementRules) {
    this.#rules = rules;
    this.#off = new Set(rules.off);
    for (const holder of holders) this.#add(holder, 1);
  }

  get breakage(): Breakage {
    const { minContinents, maxLatencyMs } = this.#rules;
    const amounts: Record<(typeof JUDGED)[number], number> = {
      reputation: this.#distrusted,
      continent: Math.max(0, minContinents - this.#continents.size),
      region: this.#crowding,
      'packet-loss': this.#lossy,
      latency: rounded(Math.max(0, this.#excessMs) / Math.max(1, this.#peers) / maxLatencyMs),
    };
    return JUDGED.map((rule) => (this.#off.has(rule) ? 0 : amounts[rule]));
  }

  /** With one holder replaced by another; undefined: by or for nobody known. */
  with(gone: Candidate | undefined, come: Candidate): Breakage {
    if (gone) this.#add(gone, -1);
    this.#add(come, 1);
    const { breakage } = this;
    this.#add(come, -1);
    if (gone) this.#add(gone, 1);
    return breakage;
  }

  #add(holder: Candidate, count: 1 | -1): void {
    const { maxLatencyMs, maxPacketLoss, minReputation, maxPerRegion } = this.#rules;
    const region = regionKey(holder.region);
    const before = this.#regions.get(region) ?? 0;
    this.#regions.set(region, before + count);
    this.#crowding += Math.max(0, before + count - maxPerRegion) - Math.max(0, before - maxPerRegion);
    const continent = continentKey(holder.region);
    const there = (this.#continents.get(continent) ?? 0) + count;
    if (there === 0) this.#continents.delete(continent);
    else this.#continents.set(continent, there);
    this.#peers += count;
    // As when peers are chosen: one not measured yet is taken for exactly as slow as is allowed, and for trusted.
    this.#excessMs += count * ((holder.latencyMs ?? maxLatencyMs) - maxLatencyMs);
    if ((holder.packetLoss ?? 0) >= maxPacketLoss) this.#lossy += count;
    if (holder.reputation !== undefined && holder.reputation <= minReputation) this.#distrusted += count;
  }
}

/** Sums of milliseconds go up and down; what that leaves behind is no difference. */
const rounded = (value: number): number => Math.round(value * 1e9) / 1e9;

export const isKept = (breakage: Breakage): boolean => breakage.every((amount) => amount === 0);

export const isNoWorse = (after: Breakage, before: Breakage): boolean =>
  after.every((amount, i) => amount <= before[i]!);

/** No worse in any rule, and in one better by enough to be worth a move. */
export const isBetter = (after: Breakage, before: Breakage): boolean =>
  isNoWorse(after, before) && compareBreakage(after, before) < 0;

/** Negative: `a` is broken less, in the rule that is given up last among those that differ. */
export function compareBreakage(a: Breakage, b: Breakage): number {
  const at = a.findIndex((amount, i) => steps(amount, i) !== steps(b[i]!, i));
  return at < 0 ? 0 : steps(a[at]!, at) - steps(b[at]!, at);
}

const steps = (amount: number, rule: number): number =>
  JUDGED[rule] === 'latency' ? Math.ceil(amount / LATENCY_STEP) : amount;
