import type { PlacementRules } from '../placement-rules.ts';
import {
  counting,
  type HardRule,
  type PeerFacts,
  type PlacedHolder,
  type Violation,
  violation,
} from './recorded-placement.ts';

/** Peers that count as one adversary have, or had within T windows, too few different shards between them to rebuild. */
export function collusion(
  placed: readonly PlacedHolder[],
  facts: PeerFacts,
  rules: PlacementRules,
  now: number | undefined,
): Violation[] {
  const violations: Violation[] = [];
  const byOperator = new Map<string, Set<number>>();
  const byDomain = new Map<string, Set<number>>();
  for (const { peer, index } of placed) {
    if (facts.has(peer)) continue;
    const message = `Nothing is recorded about peer ${peer}, holder of shard ${index}.`;
    violations.push(violation('unknown-peer', null, null, message));
  }
  for (const { peer, index } of counting(placed, rules, now)) {
    const fact = facts.get(peer);
    if (fact === undefined) continue;
    charge(byOperator, fact.operator, index);
    for (const domain of fact.failureDomains ?? []) charge(byDomain, domain, index);
  }
  return [
    ...violations,
    ...excess('operator-limit', 'operator', byOperator, cap(rules.maxPerOperator, rules)),
    ...excess('failure-domain-limit', 'failure domain', byDomain, cap(rules.maxPerFailureDomain, rules)),
  ];
}

/** With k shards an adversary has everything, whatever the settings allow. */
const cap = (setting: number, { k }: PlacementRules): number =>
  Number.isNaN(setting) ? k - 1 : Math.min(setting, k - 1);

function charge(held: Map<string, Set<number>>, adversary: string, index: number): void {
  held.set(adversary, (held.get(adversary) ?? new Set()).add(index));
}

function excess(
  rule: HardRule,
  what: string,
  held: ReadonlyMap<string, ReadonlySet<number>>,
  limit: number,
): Violation[] {
  return [...held]
    .filter(([, { size }]) => size > limit)
    .map(([name, { size }]) => {
      const message = `Peers of ${what} ${name} hold or have held ${size} shards; ${limit} are allowed.`;
      return violation(rule, size, limit, message);
    });
}
