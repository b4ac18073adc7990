import { assignStripe, auditPlacement, defaultRules, type PlacementPlan } from '@holdfast/placement';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf, factsOf, partitionId, salt, troubledSwarm } from './swarm.ts';

const NOW = 1_800_000_000_000;
const shape = fc.record({
  k: fc.integer({ min: 2, max: 4 }),
  m: fc.nat({ max: 3 }),
  copies: fc.constantFrom(1, 1, 2),
  separateSiblings: fc.boolean(),
});

test('what the assigner places, the audit accepts, with no more relaxed than was recorded', () => {
  let [placed, relaxed] = [0, 0];
  fc.assert(
    fc.property(
      troubledSwarm(24),
      shape,
      fc.nat(),
      fc.nat({ max: 4 }),
      (candidates, { k, m, ...rest }, seed, few) => {
        const rules = { ...defaultRules(k, m), ...rest, minDistinctPeers: 2 };
        const siblings = candidates.slice(0, few).map(({ id }, n) => ({
          index: n,
          peer: id,
          ...(n % 2 === 1 ? { until: NOW - 1 } : {}),
        }));
        const request = { partition: partitionId(seed), candidates, rules, siblings, now: NOW };
        const plans: PlacementPlan[] = [];
        const code = codeOf(() => plans.push(assignStripe({ ...request, salt: salt(seed) })));
        if (code !== null) {
          expect(code).toBe('PLACEMENT_REFUSED');
          return;
        }
        const { peers, relaxations } = plans[0]!;
        const holders = peers.map((peer, at) => ({ index: at % (k + m), peer }));
        const verdict = auditPlacement({
          ...request,
          placed: holders,
          facts: factsOf(candidates),
          relaxations,
        });
        expect(verdict.violations).toEqual([]);
        placed += 1;
        if (verdict.relaxed.length > 0) relaxed += 1;
      },
    ),
    { numRuns: 800, seed: 1 },
  );
  expect(Math.min(placed, relaxed)).toBeGreaterThan(100);
});
