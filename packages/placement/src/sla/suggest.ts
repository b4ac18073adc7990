import type { PeerId } from '@holdfast/contracts';
import type { Candidate } from '../candidate.ts';
import type { SlaLevel } from './level.ts';
import { newcomers, newRegions, presentRegions, type Site } from './newcomers.ts';
import type { UsablePeers } from './usable-peers.ts';

/** A change of the swarm with which the level was found to be met. */
export type Suggestion = MorePeers | FewerPeers;

export interface MorePeers {
  readonly kind: 'more-peers';
  readonly peers: number;
  /** Each of an operator of its own, with nobody's failure domain, and room. */
  readonly operators: number;
  readonly uptime: number;
  /** Regions where they should be: present ones, and how many new ones. */
  readonly inRegions: readonly string[];
  readonly newRegions: number;
  readonly newContinents: number;
  /** The peers that were tried. */
  readonly added: readonly Candidate[];
  readonly text: string;
}

export interface FewerPeers {
  readonly kind: 'fewer-peers';
  /** Not to be used any more, least reliable first. */
  readonly without: readonly PeerId[];
  readonly text: string;
}

/** Tries changes; says whether the level is met by these candidates. */
export type Trial = (candidates: readonly Candidate[]) => boolean;

const MOST_PEERS_ADDED = 64;
/** What a machine that is never switched off reaches. */
const STEADY_UPTIME = 0.999;

/** Whoever is off more often than this makes a swarm better by staying away. */
const LEAST_UPTIME = 0.5;

/**
 * What would meet the level, each found by planning again with the swarm so changed: more peers as reliable as the median,
 * steadier ones, and doing without the least reliable. They go to the regions that there are, and to as many further ones
 * as the level lacks; to one more where that does not help.
 */
export function suggestions(
  candidates: readonly Candidate[],
  usable: UsablePeers,
  level: SlaLevel,
  assumedUptime: number,
  isMet: Trial,
): Suggestion[] {
  const present = presentRegions(usable);
  const sites = [...present, ...newRegions(usable, level, 0)];
  const wider = [...present, ...newRegions(usable, level, 1)];
  const median = usable.peers[usable.peers.length >> 1]?.failure;
  const usual = median === undefined ? assumedUptime : Math.max(LEAST_UPTIME, 1 - median);
  const grow = (uptime: number) =>
    fewestMore(candidates, sites, uptime, isMet) ?? fewestMore(candidates, wider, uptime, isMet);
  const found: (Suggestion | null)[] = [
    grow(usual),
    usual < STEADY_UPTIME ? grow(STEADY_UPTIME) : null,
    withoutLeastReliable(candidates, usable, isMet),
  ];
  return found.filter((suggestion) => suggestion !== null);
}

/** Doubling, then halving between the last two: each count that is reported was tried. */
function fewestMore(
  candidates: readonly Candidate[],
  sites: readonly Site[],
  uptime: number,
  isMet: Trial,
): MorePeers | null {
  const added = (count: number): Candidate[] => newcomers(count, sites, uptime, candidates);
  const suffices = (count: number): boolean => isMet([...candidates, ...added(count)]);
  let enough = 1;
  while (enough <= MOST_PEERS_ADDED && !suffices(enough)) enough *= 2;
  if (enough > MOST_PEERS_ADDED) return null;
  let tooFew = enough >> 1;
  while (enough - tooFew > 1) {
    const middle = (enough + tooFew) >> 1;
    if (suffices(middle)) enough = middle;
    else tooFew = middle;
  }
  return morePeers(added(enough), sites, uptime);
}

function morePeers(added: readonly Candidate[], sites: readonly Site[], uptime: number): MorePeers {
  const used = sites.filter((site) => added.some((peer) => peer.region === site.region));
  const fresh = used.filter((site) => site.isNew);
  const newContinents = fresh.filter((site) => site.isNewContinent).length;
  const inRegions = used.filter((site) => !site.isNew).map((site) => site.region);
  const where = [
    ...(inRegions.length > 0 ? [inRegions.join(', ')] : []),
    ...(fresh.length > 0 ? [counted(fresh.length, 'region', 'further ')] : []),
  ].join(' and ');
  const continents = newContinents > 0 ? ` on ${counted(newContinents, 'continent', 'further ')}` : '';
  return {
    kind: 'more-peers',
    peers: added.length,
    operators: added.length,
    uptime,
    inRegions,
    newRegions: fresh.length,
    newContinents,
    added,
    text:
      `${counted(added.length, 'peer', 'more ')} that ${added.length === 1 ? 'is' : 'are'} up ` +
      `${Number((uptime * 100).toPrecision(6))} % of the time, ${added.length === 1 ? 'of a new operator' : 'each of a new operator'}, ` +
      `in ${where}${continents}`,
  };
}

function withoutLeastReliable(
  candidates: readonly Candidate[],
  { peers }: UsablePeers,
  isMet: Trial,
): FewerPeers | null {
  for (let fewer = 1; fewer <= Math.min(MOST_PEERS_ADDED, peers.length - 1); fewer++) {
    const without = peers.slice(0, fewer).map((peer) => peer.id);
    // Among equals the last one is no worse than those that stay.
    if (peers[fewer]!.failure === peers[fewer - 1]!.failure) continue;
    const dropped = new Set(without);
    if (!isMet(candidates.filter((peer) => !dropped.has(peer.id)))) continue;
    const those = counted(fewer, 'peer');
    return {
      kind: 'fewer-peers',
      without,
      text: `the same swarm without its ${fewer === 1 ? 'least reliable peer' : `${those} that are least reliable`}`,
    };
  }
  return null;
}

const counted = (count: number, noun: string, kind = ''): string =>
  `${count} ${kind}${noun}${count === 1 ? '' : 's'}`;
