import { PROBE_HOUR_MS, type ProbeWindow } from '@holdfast/contracts';
import { samplePeerId } from '@holdfast/testing/catalog-samples';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRIOR_HOURS, PRIOR_UPTIME, uptimeOf, uptimes } from '../src/vault/uptime.ts';

const hour = (n: number, asked: number, answered: number, trip = 10): ProbeWindow => ({
  peer: samplePeerId(1),
  since: n * PROBE_HOUR_MS,
  asked,
  answered,
  tripSumMs: answered * trip,
  tripMinMs: answered > 0 ? trip : 0,
});

describe('uptime', () => {
  it('is the prior as long as nothing was measured', () => {
    const nothing = { hours: 0, asked: 0, answered: 0, bestTripMs: null, meanTripMs: null };
    expect(uptimeOf([])).toEqual({ ...nothing, uptime: expect.closeTo(PRIOR_UPTIME, 12) });
    expect(uptimeOf([hour(1, 0, 0)])).toEqual({ ...nothing, uptime: expect.closeTo(PRIOR_UPTIME, 12) });
  });

  it('weighs hours, not questions', () => {
    const weighted = (0.25 + 1 + PRIOR_UPTIME * PRIOR_HOURS) / (2 + PRIOR_HOURS);
    expect(uptimeOf([hour(1, 4, 1, 30), hour(2, 100, 100, 20)])).toEqual({
      uptime: weighted,
      hours: 2,
      asked: 104,
      answered: 101,
      bestTripMs: 20,
      meanTripMs: 2030 / 101,
    });
    expect(uptimeOf([hour(1, 1, 0), hour(2, 1, 1)]).uptime).toBe(
      uptimeOf([hour(1, 1, 0), hour(2, 100, 100)]).uptime,
    );
  });

  it('takes no round trip from an hour without answers', () => {
    expect(uptimeOf([hour(1, 3, 0), hour(2, 1, 1, 7)])).toMatchObject({ bestTripMs: 7, meanTripMs: 7 });
  });

  it('lies between 0 and 1, grows with answers, and comes to what was measured', () => {
    const windows = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(9)), { maxLength: 50 });
    fc.assert(
      fc.property(windows, (pairs) => {
        const of = (more: number) =>
          uptimeOf(pairs.map(([asked, up], i) => hour(i + 1, asked, Math.min(asked, up + more)))).uptime;
        expect(of(0)).toBeGreaterThan(0);
        expect(of(1)).toBeLessThan(1);
        expect(of(1)).toBeGreaterThanOrEqual(of(0));
      }),
    );
    const long = Array.from({ length: 100_000 }, (_, i) => hour(i + 1, 2, 1));
    expect(uptimeOf(long).uptime).toBeCloseTo(0.5, 3);
  });

  it('is kept apart by peer', () => {
    const other = { ...hour(1, 5, 5), peer: samplePeerId(2) };
    const found = uptimes([hour(1, 1, 0), other, hour(2, 1, 0)]);
    expect([...found.keys()]).toEqual([samplePeerId(1), samplePeerId(2)]);
    expect(found.get(samplePeerId(1))).toEqual(uptimeOf([hour(1, 1, 0), hour(2, 1, 0)]));
    expect(found.get(samplePeerId(2))!.uptime).toBeGreaterThan(PRIOR_UPTIME);
  });
});
