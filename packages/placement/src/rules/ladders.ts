import type { Candidate } from '../candidate.ts';
import { type PlacementRules, type Relaxation, SOFT_RULES, type SoftRule } from '../placement-rules.ts';
import { continentLadder } from './continent-spread.ts';
import { type Ladder, lastStep } from './ladder.ts';
import { latencyLadder } from './latency.ts';
import { isWithinLoad, type LoadLimit, loadLadder } from './load.ts';
import { isWithinLoss, packetLossLadder } from './packet-loss.ts';
import { regionLadder } from './region-spread.ts';
import { isTrusted, type ReputationLimit, reputationLadder } from './reputation.ts';

/** The limits in force while peers are chosen: one step of each soft rule's ladder. */
export interface Limits {
  readonly latency: number;
  readonly 'packet-loss': number;
  readonly region: number;
  readonly continent: number;
  readonly load: LoadLimit;
  readonly reputation: ReputationLimit;
}

export type Ladders = { readonly [Rule in SoftRule]: Ladder<Limits[Rule]> };

/** For each rule how far it is relaxed: 0 is not at all. */
export type Levels = Readonly<Record<SoftRule, number>>;

/** A rule that is switched off has but its last step: it admits all that it ever would, and there is nothing to record. */
export function laddersOf(rules: PlacementRules): Ladders {
  const ladders: Ladders = {
    latency: latencyLadder(rules),
    'packet-loss': packetLossLadder(rules),
    region: regionLadder(rules),
    continent: continentLadder(rules),
    load: loadLadder(rules),
    reputation: reputationLadder(rules),
  };
  const off = rules.off.map((rule) => [rule, lastStep<unknown>(ladders[rule])]);
  return { ...ladders, ...Object.fromEntries(off) };
}

export const limitsAt = (ladders: Ladders, levels: Levels): Limits => ({
  latency: ladders.latency.steps[levels.latency]!,
  'packet-loss': ladders['packet-loss'].steps[levels['packet-loss']]!,
  region: ladders.region.steps[levels.region]!,
  continent: ladders.continent.steps[levels.continent]!,
  load: ladders.load.steps[levels.load]!,
  reputation: ladders.reputation.steps[levels.reputation]!,
});

export const unrelaxed: Levels = {
  latency: 0,
  'packet-loss': 0,
  region: 0,
  continent: 0,
  load: 0,
  reputation: 0,
};

/** The rules that look at one peer at a time. */
export const isWithin = (candidate: Candidate, limits: Limits, shardBytes: number): boolean =>
  isWithinLoss(candidate, limits['packet-loss']) &&
  isTrusted(candidate, limits.reputation) &&
  isWithinLoad(candidate, limits.load, shardBytes);

/** What is recorded with a placement that was made at these levels. */
export function relaxationsAt(ladders: Ladders, levels: Levels): Relaxation[] {
  const limits = limitsAt(ladders, levels);
  const record = <Rule extends SoftRule>(rule: Rule): Relaxation[] =>
    levels[rule] === 0
      ? []
      : [{ rule, reason: (ladders[rule] as Ladder<Limits[Rule]>).reason(limits[rule]) }];
  return SOFT_RULES.flatMap(record);
}
