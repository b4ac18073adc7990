import type { PeerId } from '@holdfast/contracts';
import type { Candidate } from '../candidate.ts';
import { regionKey } from '../rules/region-spread.ts';
import type { PartitionState } from './state.ts';

/** How near a partition is to being lost. */
export interface Exposure {
  /** Shards at peers that can be reached, less k. Below 0 it is lost for now. */
  readonly margin: number;
  /**
   * What would be left of the margin if the worst single operator, failure domain or region failed as one. Below 0: that one
   * alone ends it.
   */
  readonly marginAfterWorst: number;
}

/**
 * @param without peers not to be counted on
 * @param facts undefined for a peer that nobody knows: it shares nothing known with others
 */
export function exposureOf(
  { k, holders }: Pick<PartitionState, 'k' | 'holders'>,
  without: ReadonlySet<PeerId>,
  facts: (peer: PeerId) => Candidate | undefined,
): Exposure {
  const reachable = holders.filter((peer) => peer !== null && !without.has(peer)) as PeerId[];
  const together = new Map<string, number>();
  for (const peer of reachable) {
    for (const fate of fatesOf(peer, facts(peer))) together.set(fate, (together.get(fate) ?? 0) + 1);
  }
  const margin = reachable.length - k;
  return { margin, marginAfterWorst: margin - Math.max(0, ...together.values()) };
}

/** Most exposed first: by margin, then by what the worst single failure would leave of it. */
export const byExposure = (a: Exposure, b: Exposure): number =>
  a.margin - b.margin || a.marginAfterWorst - b.marginAfterWorst;

function fatesOf(peer: PeerId, known: Candidate | undefined): Set<string> {
  if (!known) return new Set([`peer ${peer}`]);
  const domains = (known.failureDomains ?? []).map((domain) => `domain ${domain}`);
  return new Set([`operator ${known.operator}`, `region ${regionKey(known.region)}`, ...domains]);
}
