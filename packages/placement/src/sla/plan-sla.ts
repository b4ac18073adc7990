import { HoldfastError, MAX_STRIPE_SHARDS } from '@holdfast/contracts';
import type { Candidate } from '../candidate.ts';
import { checkRules, defaultSettings, type PlacementSettings } from '../placement-rules.ts';
import type { Assessment } from './assessment.ts';
import { type CodeSearch, meetingCode, nearestCode } from './code-search.ts';
import { peersOf, replicationOf, storageOf } from './code-shape.ts';
import { explain } from './explain.ts';
import { availabilityFigures } from './figures.ts';
import { operatorLoss, regionLosses } from './group-loss.ts';
import { allowedUnavailability, checkLevel, SLA_LEVELS, type SlaLevel } from './level.ts';
import type { SlaPeers, SlaPlan } from './plan.ts';
import { probabilityOfMoreThan } from './poisson-binomial.ts';
import { averageUnavailability } from './random-placement.ts';
import { type Replication, replicationWanted } from './replication.ts';
import { checkSlaSettings, defaultSlaSettings, type SlaSettings } from './settings.ts';
import { shortfallsInWords } from './shortfalls.ts';
import { sparePeers } from './spare-peers.ts';
import { type Suggestion, suggestions } from './suggest.ts';
import { meanFailure, type UsablePeers, usablePeers } from './usable-peers.ts';

/** Share of time in which new backups should find peers enough. */
const NEARLY_ALWAYS = 0.99;

export interface SlaRequest {
  readonly level: SlaLevel;
  readonly candidates: readonly Candidate[];
  readonly settings?: Partial<SlaSettings>;
  /** Placement settings that the plan must live with; those left out have the document's figures. */
  readonly rules?: Partial<PlacementSettings>;
}

/**
 * The code with the least storage that keeps an SLA among these peers, or the nearest to it and what would keep it.
 * `met` is judged by the least reliable peers that the hard rules admit, so that it holds for every placement.
 * USAGE for senseless levels, settings or candidates; PLACEMENT_REFUSED (details: `suggestions`) when no code at all can be
 * placed on these peers.
 */
export function planSla(request: SlaRequest): SlaPlan {
  const search = searchFor(request);
  const meeting = meetingCode(search);
  const found = meeting ?? nearestCode(search);
  const improvements = meeting ? [] : improve(request, search.usable);
  if (found === null) throw nothingFits(search, improvements);
  const plan = planOf(search, found);
  const metInstead = meeting ? null : highestMet(request);
  return {
    ...plan,
    suggestions: improvements,
    metInstead,
    explanation: explain(plan, improvements, metInstead),
  };
}

interface PreparedSearch extends CodeSearch {
  readonly replication: Replication;
  readonly unusable: number;
}

function searchFor({ level, candidates, settings: given, rules: wishes = {} }: SlaRequest): PreparedSearch {
  const settings = { ...defaultSlaSettings, ...given };
  checkLevel(level);
  checkSlaSettings(settings);
  checkWishes(wishes, settings);
  const usable = usablePeers(candidates, settings, { ...defaultSettings(settings.maxK), ...wishes });
  const replication = replicationWanted({
    floor: level.replication,
    unavailability: allowedUnavailability(level),
    peerFailure: settings.peerFailure ?? formulaFailure(usable, settings),
    separation: settings.separation,
    churnPerDay: settings.churnPerDay,
    peers: usable.peers.length,
  });
  const unusable = candidates.length - usable.peers.length;
  return { usable, level, settings, wishes, wanted: replication.wanted, replication, unusable };
}

/** Against the largest shape that is considered: smaller ones may contradict them, and are left out then. */
function checkWishes(wishes: Partial<PlacementSettings>, settings: SlaSettings): void {
  const { maxK: k, maxParity, scheme, maxCopies, shardBytes } = settings;
  const m = Math.min(maxParity, MAX_STRIPE_SHARDS - k);
  const copies = scheme === 'erasure' ? 1 : maxCopies;
  checkRules({ ...defaultSettings(k), ...wishes, k, m, copies, shardBytes });
}

/** No measurement is so sure that a peer never fails, or always; the formula has no answer for either. */
function formulaFailure(usable: UsablePeers, { assumedUptime }: SlaSettings): number {
  const mean = usable.peers.length > 0 ? meanFailure(usable) : 1 - assumedUptime;
  return Math.min(1 - 1e-6, Math.max(1e-6, mean));
}

const isMet = (request: SlaRequest): boolean => meetingCode(searchFor(request)) !== null;

const improve = (request: SlaRequest, usable: UsablePeers): Suggestion[] =>
  suggestions(
    request.candidates,
    usable,
    request.level,
    request.settings?.assumedUptime ?? defaultSlaSettings.assumedUptime,
    (candidates) => isMet({ ...request, candidates }),
  );

const highestMet = (request: SlaRequest): string | null =>
  SLA_LEVELS.findLast((level) => isMet({ ...request, level }))?.name ?? null;

export type PlanWithoutWords = Omit<SlaPlan, 'suggestions' | 'metInstead' | 'explanation'>;

function planOf(search: PreparedSearch, found: Assessment): PlanWithoutWords {
  const { usable, level, settings, replication } = search;
  const { shape, rules, spread, regions, unavailability } = found;
  const reached = replicationOf(shape);
  const average = averageUnavailability(
    shape,
    usable.peers.map((peer) => peer.failure),
  );
  return {
    level,
    scheme: settings.scheme,
    met: found.shortfalls.length === 0,
    shortfalls: shortfallsInWords(found, level),
    code: shape,
    rules,
    spread: { ...spread, regions },
    reached: availabilityFigures(unavailability),
    average: availabilityFigures(average),
    regionLoss: regionLosses(found, usable),
    operatorLoss: operatorLoss(found, usable),
    placeable: availabilityFigures(placeableUnavailability(found, usable)),
    regionOutage: settings.regionOutage,
    replication: { ...replication, reached, clamped: reached < replication.wanted },
    peers: peersIn(search),
    cost: costOf(found, settings),
  };
}

const placeableUnavailability = ({ shape }: Assessment, { peers }: UsablePeers): number =>
  probabilityOfMoreThan(
    peers.length - peersOf(shape),
    peers.map(({ failure }) => failure),
  );

function peersIn({ usable, unusable, settings }: PreparedSearch): SlaPeers {
  return {
    usable: usable.peers.length,
    unusable,
    assumed: usable.peers.filter((peer) => peer.isAssumed).length,
    assumedUptime: settings.assumedUptime,
    operators: usable.operators.size,
    regions: usable.regions.size,
    continents: usable.continents,
    meanUptime: 1 - meanFailure(usable),
    sparesWanted: sparePeers(usable.candidates, NEARLY_ALWAYS, settings.assumedUptime),
  };
}

function costOf({ shape }: Assessment, { churnPerDay }: SlaSettings): SlaPlan['cost'] {
  const storage = storageOf(shape);
  const readPerLostByte = shape.copies > 1 ? 1 : shape.k;
  return { storage, readPerLostByte, repairPerDay: churnPerDay * storage * readPerLostByte };
}

function nothingFits(
  { usable, settings }: PreparedSearch,
  improvements: readonly Suggestion[],
): HoldfastError {
  const least = peersOf({
    k: settings.minK,
    m: settings.scheme === 'erasure' ? 1 : 0,
    copies: settings.scheme === 'erasure' ? 1 : settings.minCopies,
  });
  const peers = usable.peers.length - settings.spares;
  const spared = settings.spares > 0 ? ` beside ${settings.spares} to spare` : '';
  const [first] = improvements;
  return new HoldfastError(
    'PLACEMENT_REFUSED',
    peers < least
      ? `No code can be placed: the smallest takes ${least} peers, and ${Math.max(0, peers)} can take a shard${spared}.`
      : `No code can be placed: the ${usable.peers.length} peers have ${usable.operators.size} operators, none of which may have k shards of a partition.`,
    {
      hint: first ? `What would do: ${first.text}.` : 'Add peers of further operators.',
      details: {
        rule: peers < least ? 'one-shard-per-peer' : 'operator-limit',
        usable: peers,
        needed: least,
        suggestions: improvements.map(({ kind, text }) => ({ kind, text })),
      },
    },
  );
}
