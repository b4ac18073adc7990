import { HoldfastError } from '@holdfast/contracts';
import type { Candidate } from '@holdfast/placement';
import { customLevel, inRegions, planSla, type SlaPlan, slaLevel } from '@holdfast/placement/sla';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidate, codeOf, refusalOf } from '../swarm.ts';
import * as brute from './brute-force.ts';
import { asPeers, evenSwarm, oddSwarm } from './swarms.ts';

const gold = slaLevel('gold');
const anyLevel = fc.constantFrom(
  slaLevel('bronze'),
  slaLevel('silver'),
  gold,
  slaLevel('platinum'),
  customLevel(0.9),
  inRegions(customLevel(0.995), 2),
);

/** Null when not even the smallest code has a place. */
function planOrNull(request: Parameters<typeof planSla>[0]): SlaPlan | null {
  try {
    return planSla(request);
  } catch (error) {
    if (HoldfastError.is(error, 'PLACEMENT_REFUSED')) return null;
    throw error;
  }
}

describe('the example of the document', () => {
  it('is met by 7-fold protection: any 6 peers may be lost', () => {
    const plan = planSla({ level: gold, candidates: evenSwarm(30, 0.99) });
    expect(plan.replication).toMatchObject({
      floor: 5,
      formula: 2,
      minimum: 5,
      effective: 7,
      reached: 7,
      clamped: false,
    });
    expect(plan).toMatchObject({
      met: true,
      code: { k: 20, m: 6, copies: 1 },
      shortfalls: [],
      suggestions: [],
      metInstead: null,
    });
    expect(plan.cost).toEqual({ storage: 1.3, readPerLostByte: 20, repairPerDay: 0 });
  });

  it('asks for more with churn and in small swarms, and gets what the peers hold', () => {
    const request = { level: gold, candidates: evenSwarm(12, 0.99), settings: { churnPerDay: 0.1 } };
    const plan = planSla(request);
    expect(plan.replication).toMatchObject({
      churnFactor: 2,
      wanted: 12,
      asked: 86,
      reached: 11,
      clamped: true,
    });
    expect(plan).toMatchObject({ met: true, code: { k: 2, m: 10, copies: 1 } });
    expect(plan.cost.repairPerDay).toBeCloseTo(0.1 * 6 * 2, 12);
    expect(plan.explanation.join('\n')).toMatch(/cannot hold the 12 wanted/);
  });
});

describe('a plan', () => {
  it('never says met when some placement that the rules allow is not available enough', () => {
    let [met, unmet] = [0, 0];
    fc.assert(
      fc.property(
        oddSwarm(3, 7),
        anyLevel,
        fc.constantFrom(0, 0.0001, 0.01),
        (candidates, level, regionOutage) => {
          const plan = planOrNull({ level, candidates, settings: { regionOutage, maxK: 4 } });
          if (!plan?.met) {
            unmet += 1;
            return;
          }
          met += 1;
          const { code, rules, spread } = plan;
          const within = {
            perOperator: rules.maxPerOperator,
            perRegion: spread.perRegion,
            continents: spread.continents,
          };
          let allowed = 0;
          for (const placed of brute.subsets(asPeers(candidates), code.k + code.m)) {
            if (!brute.keeps(placed, within)) continue;
            allowed += 1;
            expect(brute.unavailabilityOf(code, placed, regionOutage)).toBeLessThanOrEqual(
              (1 - level.uptime) * (1 + 1e-8),
            );
            expect(new Set(placed.map((peer) => peer.region)).size).toBeGreaterThanOrEqual(level.regions);
            expect(brute.continentsOf(placed)).toBeGreaterThanOrEqual(level.continents);
            if (level.regions > 1) {
              expect(brute.mostAlike(placed.map((peer) => peer.region))).toBeLessThanOrEqual(code.m);
              expect(brute.mostAlike(placed.map((peer) => peer.operator))).toBeLessThanOrEqual(code.m);
            }
          }
          expect(allowed).toBeGreaterThan(0);
          expect(code.m + 1).toBeGreaterThanOrEqual(level.replication);
        },
      ),
      { numRuns: 150, seed: 11 },
    );
    expect(Math.min(met, unmet)).toBeGreaterThan(20);
  });

  it('has the least storage of all codes that do, or is right that none does', () => {
    let [met, unmet] = [0, 0];
    fc.assert(
      fc.property(oddSwarm(3, 8), anyLevel, (candidates, level) => {
        const settings = { regionOutage: 0, maxK: 5 };
        const plan = planOrNull({ level, candidates, settings });
        const wanted = plan?.replication.wanted ?? Number.POSITIVE_INFINITY;
        const meeting = meetingCodes(asPeers(candidates), level, settings.maxK);
        if (plan?.met) met += 1;
        else unmet += 1;
        expect(plan?.met ?? false).toBe(meeting.length > 0);
        if (!plan?.met) return;
        // As much as is wanted of replication goes before storage: the most that can be had, if that is less.
        const most = Math.min(wanted, Math.max(...meeting.map(({ m }) => m + 1)));
        const enough = meeting.filter(({ m }) => m + 1 >= most);
        expect(plan.cost.storage).toBe(Math.min(...enough.map(({ k, m }) => (k + m) / k)));
        const cheapest = enough.filter(({ k, m }) => (k + m) / k === plan.cost.storage);
        expect(plan.code.k).toBe(Math.min(...cheapest.map(({ k }) => k)));
      }),
      { numRuns: 120, seed: 12 },
    );
    expect(Math.min(met, unmet)).toBeGreaterThan(20);
  });
});

/** All codes that keep the level wherever the rules let them lie, found by looking at every set of peers. Regions do not fail. */
function meetingCodes(
  peers: readonly brute.Peer[],
  level: typeof gold,
  maxK: number,
): { k: number; m: number }[] {
  const found: { k: number; m: number }[] = [];
  for (let k = 2; k <= maxK; k++) {
    for (let m = 1; k + m <= peers.length; m++) {
      const sets = [...brute.subsets(peers, k + m)].filter(
        (set) => brute.mostAlike(set.map((peer) => peer.operator)) <= Math.min(k - 1, m),
      );
      if (sets.length > 0 && meets(sets, { k, m, copies: 1 }, level)) found.push({ k, m });
    }
  }
  return found;
}

function meets(
  sets: readonly brute.Peer[][],
  shape: { k: number; m: number; copies: number },
  level: typeof gold,
): boolean {
  const n = shape.k + shape.m;
  if (shape.m + 1 < level.replication || n < level.regions) return false;
  const spread = level.regions > 1;
  const wantedPerRegion = spread ? Math.min(3, shape.m, Math.floor((n - 1) / (level.regions - 1))) : 3;
  // Continents are given up after regions: first as many as can be had, then as few shards in a region as can be.
  const continents = Math.min(Math.max(2, level.continents), n, Math.max(...sets.map(brute.continentsOf)));
  const kept = sets.filter((set) => brute.continentsOf(set) >= continents);
  const crowded = (set: readonly brute.Peer[]) => brute.mostAlike(set.map((peer) => peer.region));
  const perRegion = Math.max(wantedPerRegion, Math.min(...kept.map(crowded)));
  const sizes = [...Map.groupBy(peersIn(sets), (peer) => peer.region).values()].map((all) =>
    Math.min(all.length, perRegion),
  );
  const worst = Math.max(...sets.map((set) => brute.unavailabilityOf(shape, set, 0)));
  if (worst > (1 - level.uptime) * (1 + 1e-8) || continents < level.continents) return false;
  return !spread || (Math.max(...sizes) <= shape.m && regionsTaken(sizes, n) >= level.regions);
}

const peersIn = (sets: readonly brute.Peer[][]): brute.Peer[] => [...new Set(sets.flat())];

function regionsTaken(sizes: readonly number[], n: number): number {
  const sorted = sizes.toSorted((a, b) => b - a);
  const holds = (regions: number): number => sorted.slice(0, regions).reduce((sum, size) => sum + size, 0);
  return sorted.findIndex((_, i) => holds(i + 1) >= n) + 1;
}

describe('better is never worse', () => {
  const single = fc.record({
    candidates: oddSwarm(5, 9),
    who: fc.nat(8),
    k: fc.integer({ min: 2, max: 3 }),
  });

  it('when a peer is up more often', () => {
    fc.assert(
      fc.property(single, ({ candidates, who, k }) => {
        const only = { minK: k, maxK: k, maxParity: 2 };
        const at = who % candidates.length;
        const better = candidates.with(at, { ...candidates[at]!, uptime: 0.99999 });
        const [before, after] = [candidates, better].map((peers) =>
          planOrNull({ level: customLevel(0.9), candidates: peers, settings: only }),
        );
        if (!before || !after || before.code.m !== after.code.m) return;
        expect(after.reached.unavailability).toBeLessThanOrEqual(before.reached.unavailability * (1 + 1e-9));
        expect(after.average.unavailability).toBeLessThanOrEqual(before.average.unavailability * (1 + 1e-9));
      }),
      { numRuns: 100, seed: 13 },
    );
  });

  it('when there is more parity, as long as regions do not fail', () => {
    fc.assert(
      fc.property(oddSwarm(6, 9), (candidates) => {
        const reached = [1, 2, 3, 4].map((m) => {
          // More than 4 shards may share an operator nowhere, so that the limit does not change with m.
          const distinct = candidates.map((peer, i) => ({ ...peer, operator: `o${i}` }));
          const level = { name: 'm', uptime: 0.5, replication: m + 1, regions: 1, continents: 1 };
          return planOrNull({
            level,
            candidates: distinct,
            settings: { minK: 2, maxK: 2, maxParity: m, regionOutage: 0 },
          })!;
        });
        for (let m = 1; m < 4; m++) {
          expect(reached[m]!.code.m).toBe(m + 1);
          expect(reached[m]!.reached.unavailability).toBeLessThanOrEqual(
            reached[m - 1]!.reached.unavailability,
          );
        }
      }),
      { numRuns: 40, seed: 14 },
    );
  });
});

describe('losing a region', () => {
  it('is shown for every region, with as many shards as can lie there', () => {
    const candidates = [...evenSwarm(10, 0.99), candidate(10, { region: 'c0/r9/site', uptime: 0.9 })];
    const plan = planSla({ level: gold, candidates, settings: { maxK: 5 } });
    expect(plan.regionLoss.map((loss) => loss.name).sort()).toEqual([
      'c0/r0',
      'c0/r3',
      'c0/r9',
      'c1/r1',
      'c1/r4',
      'c2/r2',
      'c2/r5',
    ]);
    const { code, rules, spread } = plan;
    const within = { perOperator: rules.maxPerOperator, perRegion: spread.perRegion, continents: 1 };
    for (const { name, shardsLost, during, survives } of plan.regionLoss) {
      let [worst, most] = [0, 0];
      for (const placed of brute.subsets(asPeers(candidates), code.k + code.m)) {
        if (!brute.keeps(placed, within)) continue;
        const failures = placed.map((peer) => (peer.region === name ? 1 : peer.failure));
        worst = Math.max(
          worst,
          brute.probability(failures, (down) => brute.isLost(code, down)),
        );
        most = Math.max(most, failures.filter((failure) => failure === 1).length);
      }
      expect(shardsLost).toBe(most);
      expect(during.unavailability).toBeGreaterThanOrEqual(worst * (1 - 1e-9));
      expect(survives).toBe(true);
    }
    const losses = plan.regionLoss.map((loss) => loss.during.unavailability);
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
  });

  it('is exactly the worst case where regions are larger than their limit', () => {
    const candidates = evenSwarm(12, 0.95).map((peer, i) => ({
      ...peer,
      uptime: 0.9 + 0.005 * i,
      region: `c${i % 2}/r${i % 4}/x`,
    }));
    const plan = planSla({
      level: slaLevel('silver'),
      candidates,
      settings: { minK: 3, maxK: 3, regionOutage: 0 },
    });
    const n = plan.code.k + plan.code.m;
    const [first] = plan.regionLoss;
    const outside = asPeers(candidates)
      .filter((peer) => peer.region !== first!.name)
      .map((peer) => peer.failure);
    const worst = outside.sort((a, b) => b - a).slice(0, n - first!.shardsLost);
    const expected = brute.probability(worst, (down) => down.filter((is) => !is).length < 3);
    expect(first!.during.unavailability).toBeCloseTo(expected, 13);
  });

  it('may be fatal where the level has one region, and the same for operators', () => {
    const candidates = evenSwarm(6, 0.999).map((peer) => ({ ...peer, region: 'eu/de/x' }));
    const plan = planSla({ level: slaLevel('bronze'), candidates });
    expect(plan).toMatchObject({ met: true, regionLoss: [{ name: 'eu/de', peers: 6, survives: false }] });
    expect(plan.regionLoss[0]!.during.unavailability).toBe(1);
    expect(plan.reached.unavailability).toBeGreaterThan(0.0001);
    expect(plan.operatorLoss).toMatchObject({ peers: 1, shardsLost: 1, survives: true });
  });

  it('of an operator takes as many shards as it may have', () => {
    const candidates = evenSwarm(24, 0.99).map((peer, i) => ({ ...peer, operator: `o${i % 8}` }));
    const plan = planSla({ level: gold, candidates, rules: { maxPerOperator: 2 } });
    expect(plan.rules.maxPerOperator).toBe(2);
    expect(plan.operatorLoss).toMatchObject({ peers: 3, shardsLost: 2, survives: true });
  });
});

describe('several copies', () => {
  it('are chosen with the least storage for the scheme replication', () => {
    const plan = planSla({
      level: gold,
      candidates: evenSwarm(40, 0.99),
      settings: { scheme: 'replication' },
    });
    expect(plan).toMatchObject({ met: true, scheme: 'replication' });
    expect(plan.code.copies).toBeGreaterThanOrEqual(3);
    expect(plan.replication.reached).toBe((plan.code.m + 1) * plan.code.copies);
    expect(plan.cost.readPerLostByte).toBe(1);
    expect((plan.code.k + plan.code.m) * plan.code.copies).toBeLessThanOrEqual(40);
  });

  it('do without parity where that takes less', () => {
    const settings = { scheme: 'replication', maxCopies: 3 } as const;
    const plan = planSla({ level: slaLevel('bronze'), candidates: evenSwarm(6, 0.99), settings });
    expect(plan).toMatchObject({ met: true, code: { k: 2, m: 0, copies: 3 }, cost: { storage: 3 } });
  });

  it('can be as many as asked for', () => {
    const settings = { scheme: 'replication', minCopies: 2, maxCopies: 2, maxParity: 1, maxK: 3 } as const;
    const plan = planSla({ level: slaLevel('bronze'), candidates: evenSwarm(12, 0.99), settings });
    expect(plan.code).toEqual({ k: 3, m: 1, copies: 2 });
    expect(plan.average.unavailability).toBeLessThanOrEqual(plan.reached.unavailability);
  });
});

describe('what the plan rests on', () => {
  it('says how many uptimes are assumed, and uses the assumption', () => {
    const candidates: Candidate[] = [...evenSwarm(6, 0.99), ...evenSwarm(3, undefined, 6)];
    const plan = planSla({ level: gold, candidates, settings: { assumedUptime: 0.9 } });
    expect(plan.peers).toMatchObject({
      usable: 9,
      unusable: 0,
      assumed: 3,
      assumedUptime: 0.9,
      operators: 9,
      regions: 6,
      continents: 3,
    });
    expect(plan.peers.meanUptime).toBeCloseTo((6 * 0.99 + 3 * 0.9) / 9, 12);
    expect(planSla({ level: gold, candidates }).peers.assumedUptime).toBe(0.95);
  });

  it('leaves out peers without room and those below the reputation floor', () => {
    const candidates = [
      ...evenSwarm(9, 0.99),
      candidate(9, { freeBytes: 1000, uptime: 0.99 }),
      candidate(10, { reputation: 0.4, uptime: 0.99 }),
      candidate(11, { reputation: 0.5, uptime: 0.99 }),
    ];
    expect(planSla({ level: gold, candidates }).peers).toMatchObject({ usable: 10, unusable: 2 });
  });

  it('heeds failure domains', () => {
    const apart = evenSwarm(9, 0.99);
    const together = apart.map((peer) => ({ ...peer, failureDomains: ['one-network'] }));
    expect(planSla({ level: slaLevel('silver'), candidates: apart }).met).toBe(true);
    expect(codeOf(() => planSla({ level: slaLevel('silver'), candidates: together }))).toBe(
      'PLACEMENT_REFUSED',
    );
  });

  it('takes another probability of failure for the formula', () => {
    const plan = planSla({ level: gold, candidates: evenSwarm(40, 0.99), settings: { peerFailure: 0.5 } });
    expect(plan.replication).toMatchObject({ formula: 14, minimum: 14, effective: 16 });
  });

  it('has an answer for peers that never fail, and for peers that always do', () => {
    expect(planSla({ level: gold, candidates: evenSwarm(12, 1) })).toMatchObject({
      met: true,
      replication: { formula: 1 },
    });
    expect(planSla({ level: gold, candidates: evenSwarm(12, 0) })).toMatchObject({
      met: false,
      reached: { unavailability: 1 },
    });
  });

  it('passes a swarm that is exactly as good as was asked for', () => {
    for (const p of [0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1]) {
      // Two of three, or all three.
      const uptime = 1 - (3 * p ** 2 * (1 - p) + p ** 3);
      const level = { name: 'exact', uptime, replication: 2, regions: 1, continents: 1 };
      const request = { candidates: evenSwarm(3, 1 - p), settings: { regionOutage: 0 } };
      expect(planSla({ ...request, level }).met).toBe(true);
      expect(planSla({ ...request, level: { ...level, uptime: uptime + 1e-9 } }).met).toBe(false);
    }
  });

  it('counts regions by how few can hold a partition', () => {
    const bronze = slaLevel('bronze');
    const settings = { maxK: 2, minK: 2 };
    const spreadOf = (count: number, rules: Parameters<typeof planSla>[0]['rules']) =>
      planSla({ level: bronze, candidates: evenSwarm(count, 0.99), settings, rules: rules ?? {} });
    expect(spreadOf(24, { maxPerRegion: 2 })).toMatchObject({
      code: { k: 2, m: 3 },
      spread: { perRegion: 2, regions: 3 },
    });
    // Regions of two cannot hold three.
    expect(spreadOf(12, {})).toMatchObject({ code: { k: 2, m: 3 }, spread: { perRegion: 2, regions: 3 } });
    const crowd = evenSwarm(30, 0.99).map((peer) => ({ ...peer, region: 'eu/de/x' }));
    const plan = planSla({ level: bronze, candidates: crowd, settings, rules: { maxPerRegion: 100 } });
    expect(plan.spread).toMatchObject({ perRegion: 5, regions: 1 });
  });

  it('takes at least as many different peers as the rules want', () => {
    const request = { level: slaLevel('bronze'), candidates: evenSwarm(12, 0.99), settings: { maxK: 2 } };
    expect(planSla(request).code).toEqual({ k: 2, m: 3, copies: 1 });
    expect(planSla({ ...request, rules: { minDistinctPeers: 7 } }).code).toEqual({ k: 2, m: 5, copies: 1 });
  });

  it('does not depend on the order of the candidates', () => {
    const candidates = evenSwarm(14, 0.97).map((peer, i) => ({ ...peer, uptime: 0.9 + 0.005 * (i % 5) }));
    expect(planSla({ level: gold, candidates: candidates.toReversed() }).code).toEqual(
      planSla({ level: gold, candidates }).code,
    );
  });
});

describe('senseless input', () => {
  it.each([
    ['scheme', 'magic'],
    ['separation', 1],
    ['separation', 4],
    ['churnPerDay', Number.NaN],
    ['churnPerDay', -0.1],
    ['assumedUptime', 0],
    ['assumedUptime', 1],
    ['peerFailure', 0],
    ['peerFailure', 1],
    ['peerFailure', Number.NaN],
    ['regionOutage', 1.1],
    ['minK', 1],
    ['minK', 21],
    ['maxK', 255],
    ['maxParity', 0],
    ['minCopies', 1],
    ['maxCopies', 2],
    ['shardBytes', 0],
  ])('%s %s is refused', (field, value) => {
    const refusal = refusalOf(() =>
      planSla({ level: gold, candidates: evenSwarm(12, 0.99), settings: { [field]: value } }),
    );
    expect(refusal.code).toBe('USAGE');
    const named = field === 'minK' && value === 21 ? { field: 'maxK', value: 20 } : { field, value };
    expect(refusal.details).toEqual(field === 'maxCopies' ? { field, value } : named);
  });

  it.each([{ uptime: Number.NaN }, { uptime: 1.01 }, { uptime: -0.5 }, { freeBytes: -1 }, { region: '' }])(
    'a peer with %j is refused',
    (facts) => {
      const candidates = [...evenSwarm(6, 0.99), candidate(6, facts)];
      expect(codeOf(() => planSla({ level: gold, candidates }))).toBe('USAGE');
    },
  );

  it('peers listed twice, levels that contradict themselves and wishes that do are refused', () => {
    const candidates = evenSwarm(12, 0.99);
    expect(codeOf(() => planSla({ level: gold, candidates: [...candidates, candidates[0]!] }))).toBe('USAGE');
    expect(codeOf(() => planSla({ level: { ...gold, continents: 4 }, candidates }))).toBe('USAGE');
    expect(codeOf(() => planSla({ level: { ...gold, replication: Number.NaN }, candidates }))).toBe('USAGE');
    expect(codeOf(() => planSla({ level: gold, candidates, rules: { maxPerRegion: 0 } }))).toBe('USAGE');
    expect(codeOf(() => planSla({ level: gold, candidates, rules: { maxPerOperator: 20 } }))).toBe('USAGE');
  });
});
