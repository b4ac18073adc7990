import type { Candidate } from '@holdfast/placement';
import { planSla, slaLevel } from '@holdfast/placement/sla';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Assessment, assess, compareAssessments, compareShapes } from '../../src/sla/assessment.ts';
import { rulesFor, spreadInForce } from '../../src/sla/code-rules.ts';
import { type CodeSearch, meetingCode, nearestCode, shapesIn } from '../../src/sla/code-search.ts';
import { inRegions, type SlaLevel } from '../../src/sla/level.ts';
import { defaultSlaSettings, type SlaSettings } from '../../src/sla/settings.ts';
import { usablePeers } from '../../src/sla/usable-peers.ts';
import { candidate } from '../swarm.ts';
import { evenSwarm, oddSwarm } from './swarms.ts';

const LOADED = { freeBytes: 0.1 * 2 ** 31, capacityBytes: 2 ** 31 };
const gold = slaLevel('gold');

function searchAmong(
  candidates: readonly Candidate[],
  level: SlaLevel,
  given: Partial<SlaSettings>,
): CodeSearch {
  const settings = { ...defaultSlaSettings, ...given };
  const usable = usablePeers(candidates, settings, { reputationFloor: 0.5 });
  return { usable, level, settings, wishes: {}, wanted: level.replication + 2 };
}

/** Every code, judged by what the assigner does with it; no shortcuts. */
function judged(
  { usable, level, settings, wishes }: CodeSearch,
  shapes: ReturnType<typeof shapesIn>,
): Assessment[] {
  return shapes.flatMap((shape) => {
    const rules = rulesFor(shape, level, wishes, settings.shardBytes);
    const spread = spreadInForce(usable.candidates, rules);
    return spread ? assess(shape, rules, spread, level, usable, settings.regionOutage) : [];
  });
}

it('finds what judging every code finds, where load and few regions make soft rules give way', () => {
  const loads = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });
  let [met, unmet] = [0, 0];
  fc.assert(
    fc.property(
      oddSwarm(4, 9),
      loads,
      fc.constantFrom(slaLevel('bronze'), slaLevel('silver'), gold),
      (swarm, loaded, level) => {
        const candidates = swarm.map((peer, i) => (loaded[i] ? { ...peer, ...LOADED } : peer));
        const search = searchAmong(candidates, level, { maxK: 4, maxParity: 4 });
        const all = judged(search, shapesIn(search)).sort((a, b) => compareAssessments(a, b, search.wanted));
        const [best] = all;
        const meets = best?.shortfalls.length === 0;
        if (meets) met += 1;
        else unmet += 1;
        expect(nearestCode(search)?.shape).toEqual(best?.shape);
        expect(meetingCode(search)?.shape).toEqual(meets ? best.shape : undefined);
      },
    ),
    { numRuns: 120, seed: 31 },
  );
  expect(Math.min(met, unmet)).toBeGreaterThan(10);
});

it('does not trust a code that would crowd a region because other peers are loaded', () => {
  const roomy = ['eu/de', 'eu/de', 'eu/de', 'eu/de', 'eu/de', 'eu/fr', 'na/us', 'as/jp'];
  const loaded = ['eu/it', 'eu/es', 'na/ca', 'as/in'];
  const candidates = [
    ...roomy.map((region, n) => candidate(n, { region, uptime: 0.999 })),
    ...loaded.map((region, n) => candidate(20 + n, { region, uptime: 0.999, ...LOADED })),
  ];
  // Eight shards would go to the eight roomy peers, five of them in one region: more than may be lost.
  const plan = planSla({ level: slaLevel('silver'), candidates, settings: { maxK: 4, maxParity: 4 } });
  expect(plan).toMatchObject({ met: true, code: { k: 3, m: 4 }, spread: { perRegion: 4 } });
});

it('prefers as much replication as wanted, then storage, then few shards, then few copies', () => {
  const shape = (k: number, m: number, copies = 1) => ({ k, m, copies });
  const inOrder = [
    shape(8, 6),
    shape(4, 6),
    shape(4, 7),
    shape(10, 5),
    shape(2, 3),
    shape(4, 3, 1),
    shape(8, 1, 2),
    shape(2, 1),
  ];
  const sorted = inOrder.toReversed().sort((a, b) => compareShapes(a, b, 7));
  expect(sorted.map(({ k, m, copies }) => `${k}+${m}x${copies}`)).toEqual([
    '8+6x1',
    '4+6x1',
    '4+7x1',
    '10+5x1',
    '4+3x1',
    '8+1x2',
    '2+3x1',
    '2+1x1',
  ]);
  expect(compareShapes(shape(2, 2), shape(4, 4), 2)).toBeLessThan(0);
  expect(compareShapes(shape(4, 4), shape(2, 2), 2)).toBeGreaterThan(0);
  // 6 bytes for each: 4/2 · 3 and 3/2 · 4, with 12 peers both.
  expect(compareShapes(shape(2, 2, 3), shape(2, 1, 4), 8)).toBeLessThan(0);
  // 5/3 · 3 and 5/2 · 2 are both 5; the former takes 15 peers.
  expect(compareShapes(shape(3, 2, 3), shape(2, 3, 2), 8)).toBeGreaterThan(0);
});

it('prefers what keeps more requirements, then what is more available if that is wanting', () => {
  const base = judged(searchAmong(evenSwarm(8, 0.9), gold, {}), [{ k: 4, m: 4, copies: 1 }])[0]!;
  const met = { ...base, shortfalls: [] };
  const lacking = { ...base, shortfalls: ['availability' as const], unavailability: 0.1 };
  const lackingMore = { ...lacking, unavailability: 0.2, shape: { k: 4, m: 3, copies: 1 } };
  const lackingOther = { ...lackingMore, shortfalls: ['regions' as const] };
  expect(compareAssessments(met, lacking, 7)).toBeLessThan(0);
  expect(
    compareAssessments({ ...lacking, shape: lackingMore.shape }, { ...lackingMore, shape: base.shape }, 7),
  ).toBeLessThan(0);
  expect(
    compareAssessments({ ...lackingOther, shape: base.shape }, { ...lackingOther, unavailability: 0 }, 7),
  ).toBeLessThan(0);
});

it('looks at all shapes in range that there are peers for', () => {
  const of = (count: number, given: Partial<SlaSettings>) =>
    shapesIn(searchAmong(evenSwarm(count, 0.9), gold, given)).map(
      ({ k, m, copies }) => `${k}+${m}x${copies}`,
    );
  expect(of(5, {})).toEqual(['2+1x1', '2+2x1', '2+3x1', '3+1x1', '3+2x1', '4+1x1']);
  expect(of(30, { minK: 3, maxK: 4, maxParity: 2 })).toEqual(['3+1x1', '3+2x1', '4+1x1', '4+2x1']);
  expect(of(9, { scheme: 'replication', maxCopies: 4 })).toEqual(['2+0x3', '2+1x3', '3+0x3', '2+0x4']);
  expect(of(2, {})).toEqual([]);
  expect(of(300, { minK: 200, maxK: 200, maxParity: 255 })).toHaveLength(55);
});

it('gives rules that keep the promises whatever was wished', () => {
  const shape = { k: 20, m: 6, copies: 1 };
  const rules = (level: SlaLevel, wishes: Parameters<typeof rulesFor>[2], other = shape) =>
    rulesFor(other, level, wishes, 1);
  expect(rules(gold, {})).toMatchObject({
    maxPerOperator: 6,
    maxPerFailureDomain: 6,
    maxPerRegion: 3,
    minContinents: 2,
  });
  expect(rules(gold, { maxPerOperator: 10, maxPerFailureDomain: 9, maxPerRegion: 20 })).toMatchObject({
    maxPerOperator: 6,
    maxPerFailureDomain: 6,
    maxPerRegion: 6,
  });
  expect(rules(gold, { maxPerOperator: 2, maxPerFailureDomain: 1 })).toMatchObject({
    maxPerOperator: 2,
    maxPerFailureDomain: 1,
  });
  const bronze = slaLevel('bronze');
  expect(rules(bronze, { maxPerOperator: 10, maxPerRegion: 20 })).toMatchObject({
    maxPerOperator: 10,
    maxPerRegion: 20,
  });
  expect(rules(bronze, {}).maxPerOperator).toBe(6);
  expect(rules(bronze, { maxPerOperator: 10 }, { k: 4, m: 6, copies: 1 }).maxPerOperator).toBe(3);
  // Six regions: with two in one, six shards could do with five.
  expect(rules(inRegions(gold, 6), {}, { k: 2, m: 4, copies: 1 }).maxPerRegion).toBe(1);
  expect(rules(inRegions(gold, 50), {}, { k: 2, m: 4, copies: 1 }).maxPerRegion).toBe(1);
  expect(rules(slaLevel('platinum'), {}).minContinents).toBe(3);
  expect(rules(bronze, { minContinents: 9 }, { k: 2, m: 4, copies: 1 }).minContinents).toBe(6);
  // Three copies of seven shards of which one may be lost: five peers.
  expect(rules(gold, { maxPerRegion: 20 }, { k: 6, m: 1, copies: 3 })).toMatchObject({
    maxPerOperator: 5,
    maxPerRegion: 5,
  });
});
