import { peersOf } from './code-shape.ts';
import { type AvailabilityFigures, formatAvailability, formatDowntime } from './figures.ts';
import { allowedUnavailability } from './level.ts';
import type { GroupLoss } from './plan.ts';
import type { PlanWithoutWords } from './plan-sla.ts';
import type { Suggestion } from './suggest.ts';

/** The plan step by step, a sentence or two each, with the numbers that went in and came out. */
export function explain(
  plan: PlanWithoutWords,
  improvements: readonly Suggestion[],
  metInstead: string | null,
): string[] {
  return [
    asked(plan),
    peers(plan),
    minimum(plan),
    wanted(plan),
    chosen(plan),
    limits(plan),
    placing(plan),
    reached(plan),
    losses(plan),
    cost(plan),
    verdict(plan, metInstead),
    ...improvements.map(({ text }) => `Tried, and it would meet the level: ${text}.`),
  ];
}

function asked({ level }: PlanWithoutWords): string {
  const spread = level.regions > 1 ? `, in ${level.regions} regions or more` : '';
  const continents = level.continents > 1 ? ` on ${level.continents} continents or more` : '';
  return (
    `Asked for: ${level.name}. Every partition can be rebuilt ${formatAvailability(allowedUnavailability(level))} of the ` +
    `time, with a replication factor of ${level.replication} or more${spread}${continents}` +
    `${level.regions > 1 ? ', whichever region or operator is lost' : ''}.`
  );
}

function peers({ peers: { usable, unusable, assumed, ...of } }: PlanWithoutWords): string {
  const others = unusable > 0 ? ` (${unusable} more without room, or of too low a reputation)` : '';
  const guesses =
    assumed > 0
      ? ` The uptime of ${assumed === usable ? (usable === 1 ? 'this one' : 'all of them') : assumed} is not measured, but assumed to be ${percent(of.assumedUptime)}.`
      : '';
  return (
    `Peers: ${usable}${others}, of ${count(of.operators, 'operator')}, in ${count(of.regions, 'region')} on ` +
    `${count(of.continents, 'continent')}. They are up ${percent(of.meanUptime)} of the time on average.${guesses}`
  );
}

function minimum({ replication: { floor, formula, minimum: least } }: PlanWithoutWords): string {
  return (
    `R_min = ${least}: the larger of the level's ${floor} and the formula's ${formula} ` +
    "(log of the unavailability allowed / log of the peers' probability to fail, rounded up)."
  );
}

function wanted({ replication, peers: { usable } }: PlanWithoutWords): string {
  const { minimum: least, separation, effective, churnFactor, peerFactor, asked: wish } = replication;
  const churn =
    churnFactor === 1
      ? ''
      : ` With the churn given it is ${replication.wanted} (factor ${round(churnFactor)}).`;
  const few =
    peerFactor === 1
      ? ''
      : ` For a swarm of ${usable} the document's peer factor asks for ${wish} (factor ${round(peerFactor)}); instead, ` +
        'what these peers achieve is calculated exactly below.';
  return `R_effective = ${least} + ${separation} = ${effective}, so that complementary shards can lie apart.${churn}${few}`;
}

function chosen(plan: PlanWithoutWords): string {
  const { code, replication } = plan;
  const copies = code.copies > 1 ? `, each on ${code.copies} peers` : '';
  const tolerated = replication.reached - 1;
  const clamped = replication.clamped
    ? ` These peers cannot hold the ${replication.wanted} wanted: it is the most that was found among them.`
    : '';
  return (
    `Chosen: k = ${code.k}, m = ${code.m}${copies}: ${count(peersOf(code), 'peer')} for a partition. ` +
    `Any ${count(tolerated, 'peer')} may be lost, a replication factor of ${replication.reached}.${clamped}`
  );
}

function limits({ rules, spread }: PlanWithoutWords): string {
  const relaxed =
    spread.perRegion > rules.maxPerRegion
      ? ` (${rules.maxPerRegion} wanted, but there are too few regions)`
      : '';
  return (
    `Placed with at most ${rules.maxPerOperator} of a partition's shards on one operator and ${spread.perRegion} in one ` +
    `region${relaxed}: in ${count(spread.regions, 'region')} or more.`
  );
}

function placing({ code, peers: { usable }, placeable }: PlanWithoutWords): string {
  const spare = usable - peersOf(code);
  return (
    `It leaves ${count(spare, 'peer')} to spare: new backups can be placed while no more than ${spare} of the ` +
    `${usable} are away, which is ${formatAvailability(placeable.unavailability)} of the time.`
  );
}

function reached({ reached: worst, average, regionOutage }: PlanWithoutWords): string {
  return (
    `Reached: ${figures(worst)} on the least reliable peers that the rules allow, with each region down ` +
    `${percent(regionOutage)} of the time. On average over all sets of peers, regions aside: ${figures(average)}.`
  );
}

function losses({ regionLoss, operatorLoss }: PlanWithoutWords): string {
  return `${loss('region', regionLoss[0]!)} ${loss('operator', operatorLoss)}`;
}

function loss(what: string, { name, shardsLost, survives, during }: GroupLoss): string {
  const taken = `Losing ${what} ${name}, the worst to lose, takes up to ${count(shardsLost, 'shard')}: `;
  return survives
    ? `${taken}what is left is up ${formatAvailability(during.unavailability)} of the time meanwhile.`
    : `${taken}more than can be borne.`;
}

function cost({ cost: { readPerLostByte, repairPerDay, storage }, replication }: PlanWithoutWords): string {
  const daily =
    replication.churnFactor > 1
      ? ` At the churn given that is ${round(repairPerDay)} bytes a day for each byte of data.`
      : '';
  return (
    `Cost: ${round(storage)} bytes stored for each byte of data; each byte lost takes ${readPerLostByte} to be read ` +
    `for its repair.${daily}`
  );
}

function verdict({ met, level, shortfalls }: PlanWithoutWords, metInstead: string | null): string {
  if (met) return `${level.name} is met.`;
  const instead = metInstead === null ? 'No level of the table is met now.' : `Met now: ${metInstead}.`;
  return `${level.name} is not met: ${shortfalls.map(({ text }) => text).join('; ')}. ${instead}`;
}

const figures = ({ unavailability, nines, downtimeSecondsPerYear }: AvailabilityFigures): string =>
  `${formatAvailability(unavailability)} (${round(nines)} nines, ${formatDowntime(downtimeSecondsPerYear)} of downtime a year)`;

const percent = (share: number): string => `${Number((share * 100).toPrecision(4))} %`;
const round = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(3))) : 'endless';
const count = (value: number, noun: string): string => `${value} ${noun}${value === 1 ? '' : 's'}`;
