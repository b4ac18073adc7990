import type { PlacementRules, SoftRule } from '../placement-rules.ts';
import type { PeerFacts, PlacedHolder } from './verify-placement.ts';

export interface SpreadShortfall {
  readonly rule: SoftRule;
  /** What is wanting and by how much, for people. */
  readonly message: string;
}

/**
 * Which soft rules the present holders (those not marked `past`) do not keep; each must appear among the placement's
 * recorded relaxations. Like the verifier of the hard rules it shares no code with the assigner.
 */
export function verifySpread(request: {
  readonly placed: readonly PlacedHolder[];
  readonly facts: PeerFacts;
  readonly rules: PlacementRules;
}): SpreadShortfall[] {
  const { placed, facts, rules } = request;
  const regions = placed
    .filter((holder) => !holder.past)
    .flatMap(({ peer }) => facts.get(peer)?.region ?? [])
    .map((region) => region.split('/'));
  const shortfalls: SpreadShortfall[] = [];
  for (const [region, { length }] of Map.groupBy(regions, (parts) => parts.slice(0, 2).join('/'))) {
    if (length <= rules.maxPerRegion) continue;
    const message = `${length} shards lie in region ${region}; at most ${rules.maxPerRegion} are wanted.`;
    shortfalls.push({ rule: 'region', message });
  }
  const continents = new Set(regions.map((parts) => parts[0])).size;
  if (continents < rules.minContinents) {
    const message = `The shards lie on ${continents} continents; at least ${rules.minContinents} are wanted.`;
    shortfalls.push({ rule: 'continent', message });
  }
  return shortfalls;
}
