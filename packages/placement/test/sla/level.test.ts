import { expect, it } from 'vitest';
import { allowedUnavailability, customLevel, inRegions, SLA_LEVELS, slaLevel } from '../../src/sla/level.ts';
import { formulaReplication, replicationWanted } from '../../src/sla/replication.ts';
import { codeOf, refusalOf } from '../swarm.ts';

it('has the table of the document', () => {
  expect(
    SLA_LEVELS.map(({ name, uptime, replication, regions }) => [name, uptime, replication, regions]),
  ).toEqual([
    ['bronze', 0.99, 2, 1],
    ['silver', 0.999, 3, 2],
    ['gold', 0.9999, 5, 3],
    ['platinum', 0.99999, 7, 3],
  ]);
  expect(slaLevel('Platinum').continents).toBe(3);
});

it('allows the unavailability that was meant, without the noise of the subtraction', () => {
  expect(SLA_LEVELS.map(allowedUnavailability)).toEqual([0.01, 0.001, 0.0001, 0.00001]);
  expect(allowedUnavailability(customLevel(0.9995))).toBe(0.0005);
  expect(allowedUnavailability(customLevel(0.99985))).toBe(0.00015);
  expect(allowedUnavailability(customLevel(0.999999999999))).toBe(1e-12);
  expect(allowedUnavailability(customLevel(1 - 2 ** -53))).toBe(1e-16);
});

it("takes replication and regions for an uptime of one's own from the highest level that it reaches", () => {
  expect(customLevel(0.9995)).toEqual({ ...slaLevel('silver'), name: '99.95 %', uptime: 0.9995 });
  expect(customLevel(0.9999).replication).toBe(5);
  expect(customLevel(0.999999).replication).toBe(7);
  expect(customLevel(0.5)).toMatchObject({ name: '50 %', replication: 2, regions: 1 });
});

it('changes the number of regions, continents at most as many', () => {
  const gold = slaLevel('gold');
  expect(inRegions(gold, 5)).toEqual({ ...gold, name: 'gold in 5 regions', regions: 5 });
  expect(inRegions(gold, 1).name).toBe('gold in 1 region');
  expect(inRegions(gold, 3)).toEqual(gold);
  expect(inRegions(slaLevel('platinum'), 2)).toMatchObject({ regions: 2, continents: 2 });
  expect(inRegions(slaLevel('bronze'), 4).continents).toBe(1);
});

it.each([0, 1, -0.1, 1.5, Number.NaN, 99.9])('refuses an uptime of %d', (uptime) => {
  const refusal = refusalOf(() => customLevel(uptime));
  expect(refusal.code).toBe('USAGE');
  expect(refusal.details).toEqual({ field: 'uptime', value: uptime });
});

it('refuses unknown names and senseless numbers of regions', () => {
  expect(refusalOf(() => slaLevel('gilt')).hint).toContain('gold');
  for (const regions of [0, 1.5, -1, 256, Number.NaN]) {
    expect(codeOf(() => inRegions(slaLevel('gold'), regions))).toBe('USAGE');
  }
});

it('has the formula of the document', () => {
  expect(formulaReplication(1e-4, 0.01)).toBe(2);
  expect(formulaReplication(1e-4, 0.05)).toBe(4);
  expect(formulaReplication(1e-5, 0.5)).toBe(17);
  expect(formulaReplication(0.5, 0.01)).toBe(1);
  expect(formulaReplication(1 - 1e-12, 0.01)).toBe(1);
});

it('does not let floating point round a whole number up', () => {
  for (let r = 1; r <= 12; r++) {
    for (const failure of [0.1, 0.01, 0.001, 0.3, 0.05])
      expect(formulaReplication(failure ** r, failure)).toBe(r);
  }
  expect(formulaReplication(1e-4 * (1 - 1e-6), 0.01)).toBe(3);
});

it.each([0, 1, -1, 2, Number.NaN])('has no formula for a probability of %d', (p) => {
  expect(refusalOf(() => formulaReplication(1e-4, p)).details).toEqual({ field: 'peerFailure', value: p });
  expect(refusalOf(() => formulaReplication(p, 0.01)).details).toEqual({ field: 'unavailability', value: p });
});

const gold = { floor: 5, unavailability: 1e-4, peerFailure: 0.01, separation: 2, churnPerDay: 0, peers: 100 };

it('gives the example of the document: gold, 1 % failure, R_min 5, R_effective 7', () => {
  expect(replicationWanted(gold)).toMatchObject({
    formula: 2,
    minimum: 5,
    effective: 7,
    asked: 7,
    wanted: 7,
  });
});

it('has the factors of the document: 10 % churn doubles, a tenth of the peers is ten times as much', () => {
  expect(replicationWanted({ ...gold, churnPerDay: 0.1 })).toMatchObject({
    churnFactor: 2,
    asked: 12,
    wanted: 12,
  });
  expect(replicationWanted({ ...gold, peers: 10 })).toMatchObject({ peerFactor: 10, asked: 52, wanted: 7 });
  expect(replicationWanted({ ...gold, peers: 10, churnPerDay: 0.1 })).toMatchObject({
    asked: 102,
    wanted: 12,
  });
  expect(replicationWanted({ ...gold, peers: 1000 })).toMatchObject({ peerFactor: 1, asked: 7 });
  expect(replicationWanted({ ...gold, floor: 1, separation: 3 })).toMatchObject({ minimum: 2, effective: 5 });
  // 5 · (1 + 0.14 / 0.1) is a little more than 12 in floating point.
  expect(replicationWanted({ ...gold, churnPerDay: 0.14 }).wanted).toBe(14);
  expect(replicationWanted({ ...gold, churnPerDay: 0.141 }).wanted).toBe(15);
});
