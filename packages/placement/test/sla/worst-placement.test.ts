import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defaultSlaSettings } from '../../src/sla/settings.ts';
import { usablePeers } from '../../src/sla/usable-peers.ts';
import { leastReliable, unavailabilityOf, worstUnavailability } from '../../src/sla/worst-placement.ts';
import * as brute from './brute-force.ts';
import { asPeers, oddSwarm, relativeError } from './swarms.ts';

const prepared = (candidates: Parameters<typeof usablePeers>[0]) =>
  usablePeers(candidates, defaultSlaSettings, { reputationFloor: 0.5 });

it('takes the peers than which no set under the operator limit is worse, place by place', () => {
  fc.assert(
    fc.property(
      oddSwarm(3, 8),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 6 }),
      (swarm, limit, count) => {
        const found = leastReliable(prepared(swarm).peers, count, limit);
        expect(found.length).toBeLessThanOrEqual(count);
        for (const set of brute.subsets(asPeers(swarm), count)) {
          if (brute.mostAlike(set.map((peer) => peer.operator)) > limit) continue;
          const failures = set.map((peer) => peer.failure).sort((a, b) => b - a);
          for (const [i, failure] of failures.entries()) expect(found[i]).toBeGreaterThanOrEqual(failure);
        }
      },
    ),
    { numRuns: 60, seed: 4 },
  );
});

it('puts copies together as badly as can be', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 6, maxLength: 6 }),
      fc.constantFrom({ k: 2, m: 1, copies: 2 }, { k: 3, m: 0, copies: 2 }, { k: 2, m: 0, copies: 3 }),
      (percents, shape) => {
        const failures = percents.map((percent) => percent / 100).sort((a, b) => b - a);
        const found = unavailabilityOf(shape, failures);
        let worst = 0;
        for (const order of brute.permutations(failures)) {
          worst = Math.max(
            worst,
            brute.probability(order, (down) => brute.isLost(shape, down)),
          );
        }
        expect(relativeError(found, worst)).toBeLessThan(1e-12);
      },
    ),
    { numRuns: 6, seed: 5 },
  );
});

it('is exceeded by no placement within the limits, and without outages by none at all', () => {
  fc.assert(
    fc.property(
      oddSwarm(5, 7),
      fc.constantFrom({ k: 2, m: 1 }, { k: 2, m: 3 }, { k: 3, m: 2 }, { k: 4, m: 1 }),
      fc.constantFrom(0, 0.0001, 0.2),
      fc.integer({ min: 1, max: 4 }),
      (swarm, { k, m }, outage, perRegion) => {
        const shape = { k, m, copies: 1 };
        const spread = { perOperator: k - 1, perRegion, continents: 1 };
        const usable = prepared(swarm);
        const bound = worstUnavailability({
          shape,
          failures: leastReliable(usable.peers, k + m, spread.perOperator),
          regions: usable.regions.size,
          perRegion,
          regionOutage: outage,
        });
        for (const placed of brute.subsets(asPeers(swarm), k + m)) {
          if (!brute.keeps(placed, spread)) continue;
          expect(brute.unavailabilityOf(shape, placed, outage)).toBeLessThanOrEqual(bound * (1 + 1e-9));
        }
      },
    ),
    { numRuns: 60, seed: 6 },
  );
});

it('is exactly the worst set of peers when regions do not fail', () => {
  fc.assert(
    fc.property(oddSwarm(6, 8), (swarm) => {
      const shape = { k: 3, m: 2, copies: 1 };
      const sets = [...brute.subsets(asPeers(swarm), 5)].filter(
        (set) => brute.mostAlike(set.map((p) => p.operator)) <= 2,
      );
      fc.pre(sets.length > 0);
      const worst = Math.max(...sets.map((set) => brute.unavailabilityOf(shape, set, 0)));
      const failures = leastReliable(prepared(swarm).peers, 5, 2);
      const found = worstUnavailability({ shape, failures, regions: 3, perRegion: 5, regionOutage: 0 });
      expect(relativeError(found, worst)).toBeLessThan(1e-11);
    }),
    { numRuns: 40, seed: 7 },
  );
});

it.each([
  [1, 5, 0.25],
  [2, 3, 1 - 0.75 ** 2],
  // Five shards can be in five of them at most.
  [9, 3, 1 - 0.75 ** 5],
])('counts outages of %i regions exactly where peers never fail', (regions, perRegion, expected) => {
  const failures = [0, 0, 0, 0, 0];
  const shape = { k: 3, m: 2, copies: 1 };
  const found = worstUnavailability({ shape, failures, regions, perRegion, regionOutage: 0.25 });
  expect(found).toBeCloseTo(expected, 14);
});

it('bears what parity and copies bear, and is down for good when all regions are', () => {
  const failures = new Array<number>(12).fill(0);
  const outages = (perRegion: number, regionOutage: number) =>
    worstUnavailability({ shape: { k: 3, m: 1, copies: 3 }, failures, regions: 4, perRegion, regionOutage });
  // One region: at most one shard with all its copies. Two: two shards, one too many.
  expect(outages(3, 0.1)).toBeCloseTo(1 - 0.9 ** 4 - 4 * 0.1 * 0.9 ** 3, 14);
  expect(outages(3, 1)).toBe(1);
});
