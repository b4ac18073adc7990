import { planSla, slaLevel, sparePeers } from '@holdfast/placement/sla';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidate, codeOf } from '../swarm.ts';

const swarm = (uptimes: readonly (number | undefined)[]) =>
  uptimes.map((uptime, n) => candidate(n, { uptime, region: `c${n % 3}/r${n % 6}/x` }));

/** Over all 2^n outcomes. */
function shareWithAtMostDown(most: number, uptimes: readonly number[]): number {
  let share = 0;
  for (let outcome = 0; outcome < 2 ** uptimes.length; outcome++) {
    const down = uptimes.filter((_, n) => outcome & (1 << n)).length;
    if (down > most) continue;
    share += uptimes.reduce((product, up, n) => product * (outcome & (1 << n) ? 1 - up : up), 1);
  }
  return share;
}

describe('spare peers', () => {
  test('are the fewest with which enough others are up for the share of time', () => {
    const uptimes = fc.array(fc.double({ min: 0.3, max: 0.999, noNaN: true }), { maxLength: 9 });
    fc.assert(
      fc.property(uptimes, fc.double({ min: 0.5, max: 0.999, noNaN: true }), (given, share) => {
        const spares = sparePeers(swarm(given), share, 0.5);
        expect(shareWithAtMostDown(spares, given)).toBeGreaterThanOrEqual(share - 1e-12);
        if (spares > 0) expect(shareWithAtMostDown(spares - 1, given)).toBeLessThan(share + 1e-12);
      }),
      { numRuns: 200 },
    );
  });

  test('take the assumption where nothing is measured; none are needed for nothing, all for always', () => {
    expect(sparePeers(swarm(Array(8).fill(undefined)), 0.99, 0.95)).toBe(2);
    expect(sparePeers(swarm(Array(8).fill(0.999)), 0.99, 0.95)).toBe(0);
    expect(sparePeers(swarm(Array(8).fill(0.5)), 0, 0.95)).toBe(0);
    expect(sparePeers(swarm(Array(8).fill(0.5)), 1, 0.95)).toBe(8);
    expect(sparePeers([], 0.99, 0.95)).toBe(0);
    expect(codeOf(() => sparePeers([], Number.NaN, 0.95))).toBe('USAGE');
  });

  test('are left out of every code, and the plan says how often new backups can be placed', () => {
    const candidates = swarm(Array(14).fill(0.95));
    const planWith = (spares: number) =>
      planSla({ level: slaLevel('bronze'), candidates, settings: { spares } });
    for (const spares of [0, 2, 5]) {
      const { code, met, placeable, explanation } = planWith(spares);
      expect(met).toBe(true);
      const left = 14 - code.k - code.m;
      expect(left).toBeGreaterThanOrEqual(spares);
      expect(placeable.availability).toBeCloseTo(shareWithAtMostDown(left, Array(14).fill(0.95)), 9);
      expect(explanation.join('\n')).toContain(`leaves ${left} peer`);
    }
    expect(planWith(0).code).not.toEqual(planWith(5).code);
    expect(codeOf(() => planWith(13))).toBe('PLACEMENT_REFUSED');
    expect(codeOf(() => planWith(-1))).toBe('USAGE');
  });
});
