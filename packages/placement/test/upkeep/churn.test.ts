import { defaultRules, defaultSettings } from '@holdfast/placement';
import {
  type ChurnObservation,
  type ChurnSettings,
  type ChurnState,
  churnMeasures,
  churnState,
  defaultChurn,
  parityOrder,
  placeableParity,
} from '@holdfast/placement/upkeep';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidate, codeOf, partitionId, peerId, salt } from '../swarm.ts';
import { HOUR, NOW } from './random-state.ts';

/** `gone` peers departed `ago` ms before `at`, of 100 in all. */
const seen = (gone: number, ago = 0, at = NOW): ChurnObservation => ({
  activePeers: 100 - gone,
  departures: Array.from({ length: gone }, (_, n) => ({ peer: peerId(n), at: at - ago })),
});
const step = (
  previous: ChurnState | null,
  observation: ChurnObservation,
  now = NOW,
  settings: Partial<ChurnSettings> = {},
) => churnState(previous, observation, { ...defaultChurn, ...settings }, now);

describe('churn', () => {
  test('is high above 20 % in an hour or 30 % in a day', () => {
    expect(step(null, seen(20))).toMatchObject({
      level: 'normal',
      perHour: 0.2,
      perDay: 0.2,
      peak: 0,
      at: NOW,
      since: NOW,
    });
    expect(step(null, seen(21))).toMatchObject({ level: 'high', perHour: 0.21, peak: 0.21 });
    expect(step(null, seen(30, HOUR))).toMatchObject({ level: 'normal', perHour: 0, perDay: 0.3 });
    expect(step(null, seen(31, HOUR))).toMatchObject({ level: 'high', perDay: 0.31, peak: 0.31 });
    expect(step(null, seen(31, HOUR - 1)).perHour).toBe(0.31);
    expect(step(null, seen(90, 24 * HOUR))).toMatchObject({ level: 'normal', perDay: 0 });
    expect(step(null, seen(90, -1))).toMatchObject({ level: 'normal', perDay: 0 });
  });

  test('counts a peer once, and is none where nobody departs', () => {
    const twice = { activePeers: 9, departures: [0, 0].map((n) => ({ peer: peerId(n), at: NOW })) };
    expect(step(null, twice).perHour).toBe(0.1);
    expect(step(null, { activePeers: 0, departures: [] })).toMatchObject({ level: 'normal', perHour: 0 });
    expect(step(null, { activePeers: 0, departures: twice.departures })).toMatchObject({
      level: 'high',
      perHour: 1,
    });
  });

  /** Observed every hour, with so many departures in the last hour. */
  const hours = (start: ChurnState, counts: number[]): ChurnState[] => {
    const states: ChurnState[] = [];
    for (const [i, count] of counts.entries()) {
      const now = start.at + (i + 1) * HOUR;
      states.push(step(states.at(-1) ?? start, seen(count, 0, now), now));
    }
    return states;
  };

  test('is normal again only after 24 hours of low churn', () => {
    const high = step(null, seen(40));
    expect(high.lowSince).toBe(null);
    const calm = hours(high, Array(26).fill(0));
    expect(calm.map(({ level }) => level)).toEqual([...Array(24).fill('high'), 'normal', 'normal']);
    expect(calm[0]!.lowSince).toBe(NOW + HOUR);
    expect(calm[24]!.since).toBe(NOW + 25 * HOUR);
    expect(calm[23]).toMatchObject({ since: NOW, peak: 0.4 });
    expect(calm[24]!.peak).toBe(0);
    // 10 % in an hour is low, and so is 15 % in a day; in between low and high it starts over.
    expect(hours(high, Array(25).fill(10)).at(-1)!.level).toBe('normal');
    expect(hours(high, [...Array(12).fill(0), 11, ...Array(23).fill(0)]).at(-1)!.level).toBe('high');
    expect(hours(high, [...Array(12).fill(0), 11, ...Array(25).fill(0)]).at(-1)!.level).toBe('normal');
    const perDay = (share: number) => step(high, seen(share, 2 * HOUR), NOW + HOUR);
    expect(perDay(15).lowSince).toBe(NOW + HOUR);
    expect(perDay(16).lowSince).toBe(null);
  });

  test('never becomes high for less than high', () => {
    expect(hours(step(null, seen(20)), Array(48).fill(20)).every(({ level }) => level === 'normal')).toBe(
      true,
    );
  });

  test('keeps the worst rate while it lasts', () => {
    const states = hours(step(null, seen(25)), [40, 22, 0]);
    expect(states.map(({ peak }) => peak)).toEqual([0.4, 0.4, 0.4]);
    expect(states.map(({ since }) => since)).toEqual([NOW, NOW, NOW]);
  });

  test('does not take a gap for calm', () => {
    const high = { ...step(null, seen(40)), lowSince: NOW };
    const later = (ms: number) => step(high, seen(0, 0, NOW + ms), NOW + ms);
    expect(later(24 * HOUR).level).toBe('normal');
    expect(later(24 * HOUR + 1)).toMatchObject({ level: 'high', lowSince: NOW + 24 * HOUR + 1 });
    expect(later(-HOUR)).toMatchObject({ level: 'high', lowSince: NOW - HOUR });
  });

  test('adds parity as the document scales replication, within bounds', () => {
    const at = (peak: number, m: number, most = 100) =>
      churnMeasures({ ...step(null, seen(40)), peak }, m, { ...defaultChurn, maxExtraParity: most });
    expect(at(0.25, 3)).toEqual({ mode: 'random', extraParity: 10 });
    expect(at(0.3, 3).extraParity).toBe(12);
    expect(at(0.21, 0).extraParity).toBe(3);
    expect(at(0.3, 3, 4).extraParity).toBe(4);
    expect(churnMeasures(step(null, seen(0)), 4, defaultChurn)).toEqual({
      mode: 'as-configured',
      extraParity: 0,
    });
  });

  test('follows from its arguments, and high follows from any high observation', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 99 }), fc.nat({ max: 30 })), { minLength: 1 }),
        (observations) => {
          let state: ChurnState | null = null;
          let [now, lastTrouble] = [NOW, Number.NEGATIVE_INFINITY];
          for (const [gone, wait] of observations) {
            now += wait * HOUR;
            const next = step(state, seen(gone, 0, now), now);
            if (gone > 10) lastTrouble = now;
            if (gone > 20) expect(next.level).toBe('high');
            if (state?.level === 'high' && next.level === 'normal') {
              expect(now - lastTrouble).toBeGreaterThan(24 * HOUR);
            }
            if (state?.level === 'normal' && next.level === 'high') expect(gone).toBeGreaterThan(20);
            expect(JSON.parse(JSON.stringify(next))).toEqual(next);
            state = next;
          }
        },
      ),
      { seed: 7 },
    );
  });

  test.each<[string, Partial<ChurnSettings>, Partial<ChurnObservation>, number]>([
    ['at no time', {}, {}, Number.NaN],
    ['of less than no peers', {}, { activePeers: -1 }, NOW],
    ['of half a peer', {}, { activePeers: 0.5 }, NOW],
    ['with departures at no time', {}, { departures: [{ peer: peerId(1), at: Number.NaN }] }, NOW],
    ['that stabilises before it happens', { stabilisationMs: -1 }, {}, NOW],
    ['that takes parity away', { maxExtraParity: -1 }, {}, NOW],
    ['that is low above high in an hour', { lowPerHour: 0.21 }, {}, NOW],
    ['that is low above high in a day', { lowPerDay: 0.31 }, {}, NOW],
    ['that is low below nothing', { lowPerDay: -0.1 }, {}, NOW],
    ['that is high above all', { highPerDay: 1.1 }, {}, NOW],
    ['that is high at no number', { highPerHour: Number.NaN }, {}, NOW],
  ])('%s is refused', (_, settings, observation, now) => {
    expect(codeOf(() => step(null, { ...seen(1), ...observation }, now, settings))).toBe('USAGE');
  });

  test('may be settled at once, and without parity', () => {
    const settings = {
      ...defaultChurn,
      stabilisationMs: 0,
      maxExtraParity: 0,
      lowPerHour: 0,
      lowPerDay: 0,
      highPerHour: 0,
      highPerDay: 1,
    };
    const high = churnState(null, seen(1), settings, NOW);
    expect(churnMeasures(high, 2, settings)).toEqual({ mode: 'random', extraParity: 0 });
    expect(churnState(high, seen(0), settings, NOW).level).toBe('normal');
  });

  test('with half a parity shard is refused', () => {
    expect(codeOf(() => churnMeasures(step(null, seen(40)), 0.5, defaultChurn))).toBe('USAGE');
    expect(codeOf(() => churnMeasures(step(null, seen(40)), -1, defaultChurn))).toBe('USAGE');
  });
});

describe('extra parity', () => {
  const of = (peers: number, wished: number, facts = {}) =>
    placeableParity({
      candidates: Array.from({ length: peers }, (_, n) => candidate(n, facts)),
      rules: defaultRules(2, 2),
      wished,
      salt: salt(1),
    });

  test('is what is wished for, as far as peers can hold it', () => {
    expect([of(12, 3), of(6, 3), of(5, 3), of(4, 3), of(3, 3), of(0, 3)]).toEqual([3, 2, 1, 0, -1, -1]);
    expect(of(12, 0)).toBe(0);
    // A stripe has 255 shards at most.
    expect(of(260, 400)).toBe(251);
    expect(of(12, 3, { operator: 'one' })).toBe(-1);
    expect(of(12, 3, { freeBytes: 0 })).toBe(-1);
    expect(codeOf(() => of(12, -1))).toBe('USAGE');
    expect(codeOf(() => of(12, Number.NaN))).toBe('USAGE');
  });

  test('goes to the most exposed partitions first, and to none that has enough', () => {
    const partition = (n: number, m: number, holders: (number | null)[]) => ({
      ...{ id: partitionId(n), k: 2, m, shardBytes: 1, past: [] },
      hashes: Array(2 + m).fill('h'),
      holders: holders.map((peer) => (peer === null ? null : peerId(peer))),
    });
    const state = {
      partitions: [
        partition(1, 2, [0, 1, 2, 3]),
        partition(2, 1, [0, 1, 2]),
        partition(3, 2, [0, 1, null, 9]),
        partition(4, 3, [0, 1, 2, 3, 4]),
        partition(5, 2, [0, 1, 5, 6]),
      ],
      peers: Array.from({ length: 9 }, (_, n) =>
        candidate(n, {
          region: `c${n}/r${n === 6 ? 5 : n}`,
          operator: n === 6 ? 'operator-5' : `operator-${n}`,
        }),
      ),
      candidates: [],
      outages: [{ peer: peerId(2), since: NOW }],
      settings: defaultSettings(2),
      now: NOW,
    };
    expect(parityOrder(state, () => 3).map((work) => [work.partition, work.add, work.margin])).toEqual([
      [partitionId(2), 2, 0],
      [partitionId(1), 1, 1],
      [partitionId(3), 1, 1],
      [partitionId(5), 1, 2],
    ]);
    const allThere = { ...state, outages: [] };
    expect(parityOrder(allThere, () => 3).map((work) => work.partition)).toEqual(
      [2, 3, 5, 1].map(partitionId),
    );
    expect(parityOrder(state, (k) => k - 1)).toEqual([]);
    expect(codeOf(() => parityOrder({ ...state, now: Number.NaN }, () => 3))).toBe('USAGE');
  });
});
