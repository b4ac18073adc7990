import { customLevel, inRegions, planSla, SLA_LEVELS, slaLevel } from '@holdfast/placement/sla';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { candidate, refusalOf } from '../swarm.ts';
import { evenSwarm, oddSwarm } from './swarms.ts';

const gold = slaLevel('gold');

it('when followed, meets the level; with one peer fewer it would not', () => {
  let followed = 0;
  fc.assert(
    fc.property(oddSwarm(4, 9), fc.constantFrom(...SLA_LEVELS, customLevel(0.9999999)), (swarm, level) => {
      const candidates = swarm.map((peer, i) => ({ ...peer, operator: `o${i}` }));
      const settings = { maxK: 6 };
      const plan = planSla({ level, candidates, settings });
      expect(plan.met).toBe(plan.suggestions.length === 0 || plan.met);
      for (const suggestion of plan.suggestions) {
        followed += 1;
        if (suggestion.kind === 'fewer-peers') {
          const rest = candidates.filter((peer) => !suggestion.without.includes(peer.id));
          expect(rest.length).toBe(candidates.length - suggestion.without.length);
          expect(planSla({ level, candidates: rest, settings }).met).toBe(true);
          continue;
        }
        const { added } = suggestion;
        expect(added.length).toBe(suggestion.peers);
        expect(planSla({ level, candidates: [...candidates, ...added], settings }).met).toBe(true);
        expect(planSla({ level, candidates: [...candidates, ...added.slice(0, -1)], settings }).met).toBe(
          false,
        );
      }
    }),
    { numRuns: 40, seed: 21 },
  );
  expect(followed).toBeGreaterThan(20);
});

it('says how many regions and continents are missing', () => {
  const candidates = evenSwarm(12, 0.99).map((peer) => ({ ...peer, region: 'eu/de/x' }));
  const plan = planSla({ level: slaLevel('platinum'), candidates });
  expect(plan.met).toBe(false);
  expect(plan.shortfalls.map(({ requirement }) => requirement)).toEqual(
    expect.arrayContaining(['regions', 'continents', 'region-loss']),
  );
  expect(plan.suggestions[0]).toMatchObject({
    kind: 'more-peers',
    uptime: 0.99,
    newRegions: 2,
    newContinents: 2,
  });
  expect(plan.suggestions[0]!.text).toContain('2 further regions on 2 further continents');
});

it('finds regions on a continent that is there when no continent is missing', () => {
  const candidates = evenSwarm(12, 0.99).map((peer, i) => ({ ...peer, region: `eu/r${i % 2}/x` }));
  const { suggestions } = planSla({ level: gold, candidates });
  expect(suggestions[0]).toMatchObject({ kind: 'more-peers', newRegions: 1, newContinents: 0 });
});

it('finds further regions also where there are as many as the level wants, but too crowded', () => {
  const candidates = evenSwarm(16, 0.99).map((peer, i) => ({ ...peer, region: `eu/r${i % 2}/x` }));
  const settings = { minK: 10, maxK: 10, maxParity: 6 };
  const { met, suggestions } = planSla({ level: slaLevel('silver'), candidates, settings });
  expect(met).toBe(false);
  expect(suggestions[0]).toMatchObject({ kind: 'more-peers', newRegions: 1, newContinents: 0 });
});

it('counts the regions that are missing', () => {
  const candidates = evenSwarm(12, 0.99).map((peer) => ({ ...peer, region: 'eu/de/x' }));
  expect(planSla({ level: gold, candidates }).suggestions[0]).toMatchObject({
    newRegions: 2,
    newContinents: 0,
  });
});

it('tries no peers that are less steady than those there are, nor any that are mostly away', () => {
  const steady = planSla({ level: gold, candidates: evenSwarm(4, 0.9999) });
  expect(steady.suggestions).toMatchObject([{ kind: 'more-peers', uptime: 0.9999 }]);
  const poor = planSla({ level: slaLevel('bronze'), candidates: evenSwarm(4, 0.3) });
  expect(poor.suggestions).toMatchObject([{ uptime: 0.5 }, { uptime: 0.999 }]);
});

it('finds that doing without the least reliable helps, in this very case', () => {
  const poor = [9, 10].map((n) => candidate(n, { region: `c${n % 3}/r${n}/x`, uptime: 0.05 }));
  const level = { ...gold, uptime: 0.99999, replication: 2 };
  const candidates = [...evenSwarm(9, 0.99), ...poor];
  const settings = { minK: 5, maxK: 5, maxParity: 4 };
  const plan = planSla({ level, candidates, settings });
  expect(plan.met).toBe(false);
  const fewer = plan.suggestions.find(({ kind }) => kind === 'fewer-peers');
  expect(fewer).toMatchObject({ without: [poor[1]!.id, poor[0]!.id].sort() });
});

it('names the level that is met instead', () => {
  const plan = planSla({ level: slaLevel('platinum'), candidates: evenSwarm(5, 0.98) });
  expect(plan.met).toBe(false);
  expect(plan.metInstead).toBe('silver');
  expect(plan.explanation.join('\n')).toContain('Met now: silver.');
  const wide = planSla({ level: inRegions(slaLevel('bronze'), 7), candidates: evenSwarm(12, 0.99) });
  expect(wide).toMatchObject({ met: false, metInstead: 'platinum' });
  const none = planSla({ level: gold, candidates: evenSwarm(5, 0.3) });
  expect(none.metInstead).toBeNull();
  expect(none.explanation.join('\n')).toContain('No level of the table is met now.');
});

it('comes with the refusal where no code at all has a place', () => {
  const refusal = refusalOf(() => planSla({ level: slaLevel('bronze'), candidates: [] }));
  expect(refusal.code).toBe('PLACEMENT_REFUSED');
  expect(refusal.details).toMatchObject({ rule: 'one-shard-per-peer', usable: 0, needed: 3 });
  expect(refusal.hint).toContain('3 more peers that are up 95 % of the time');

  const oneOperator = evenSwarm(8, 0.99).map((peer) => ({ ...peer, operator: 'acme' }));
  const crowded = refusalOf(() => planSla({ level: gold, candidates: oneOperator }));
  expect(crowded.details).toMatchObject({ rule: 'operator-limit', usable: 8 });
  expect(crowded.details.suggestions).toHaveLength(2);

  const needed = refusalOf(() =>
    planSla({ level: gold, candidates: evenSwarm(9, 0.99), settings: { minK: 10 } }),
  );
  expect(needed.details).toMatchObject({ rule: 'one-shard-per-peer', usable: 9, needed: 11 });
});

it('gives up within bounds where nothing helps', () => {
  const plan = planSla({ level: gold, candidates: evenSwarm(8, 0.99), settings: { maxParity: 2 } });
  expect(plan.met).toBe(false);
  expect(plan.shortfalls.map(({ requirement }) => requirement)).toContain('replication');
  expect(plan.suggestions).toEqual([]);
});
