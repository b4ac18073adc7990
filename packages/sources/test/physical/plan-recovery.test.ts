import { HoldfastError } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BaseSnapshotRef,
  type Moment,
  planRecovery,
  type RecoveryPlan,
  type WalSnapshotRef,
} from '../../src/postgres/wal/restore/plan-recovery.ts';
import { parseTarget, type RecoveryTarget } from '../../src/postgres/wal/restore/recovery-target.ts';

/** A record, which is a commit, every quarter of a segment; record n ends at unit n + 1, at time 1000 n. */
const UNIT = 2 ** 18;
const SEGMENT = 4 * UNIT;
const lsn = (unit: number): bigint => BigInt(unit) * BigInt(UNIT);
const timeOf = (unit: number): bigint => BigInt(unit) * 1000n;

const wal = (from: number, to: number, more: Partial<WalSnapshotRef> = {}): WalSnapshotRef => ({
  id: `wal ${more.timeline ?? 1} ${from}-${to}`,
  systemId: 7n,
  timeline: 1,
  segmentBytes: SEGMENT,
  startLsn: lsn(from),
  endLsn: lsn(to),
  firstTime: to > from ? timeOf(from) : null,
  lastTime: to > from ? timeOf(to - 1) : null,
  coveredUntil: to > from ? timeOf(to - 1) + 500n : null,
  lastRecord: to > from ? lsn(to - 1) : null,
  restorePoints: [],
  history: null,
  chainStart: 0n,
  state: new Uint8Array(0),
  ...more,
});

const base = (start: number, stop: number, more: Partial<BaseSnapshotRef> = {}): BaseSnapshotRef => ({
  id: `base ${start}-${stop}`,
  systemId: 7n,
  timeline: 1,
  segmentBytes: SEGMENT,
  serverVersion: 150000,
  startLsn: lsn(start),
  stopLsn: lsn(stop),
  startedAt: timeOf(start),
  stoppedAt: timeOf(stop),
  ...more,
});

interface History {
  readonly bases: BaseSnapshotRef[];
  readonly wals: WalSnapshotRef[];
}

const histories: fc.Arbitrary<History> = fc
  .record({
    lengths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 15 }),
    lost: fc.array(fc.integer({ min: 0, max: 14 }), { maxLength: 3 }),
    bases: fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 6 })), {
      minLength: 1,
      maxLength: 4,
    }),
  })
  .map(({ lengths, lost, bases }) => {
    let at = 0;
    const wals = lengths.map((length) => {
      at += length;
      return wal(at - length, at);
    });
    return {
      bases: bases.map(([start, length]) => base(start, start + length)),
      wals: wals.filter((_, i) => !lost.includes(i)).reverse(),
    };
  });

/** Half of them exactly a commit's. */
const moments = fc.oneof(
  fc.integer({ min: 0, max: 95_000 }),
  fc.integer({ min: 0, max: 95 }).map((unit) => unit * 1000),
);

/** Whether every unit from one to another is in some snapshot. */
const covers = (wals: readonly WalSnapshotRef[], from: bigint, to: bigint): boolean => {
  for (let at = from; at < to; at += BigInt(UNIT))
    if (!wals.some(({ startLsn, endLsn }) => startLsn <= at && at < endLsn)) return false;
  return true;
};

const segmentOf = (at: bigint): bigint => at - (at % BigInt(SEGMENT));

/** The newest base that can do it, by trying all. */
function oracle({ bases, wals }: History, at: bigint): BaseSnapshotRef | null {
  const fit = bases.filter((one) => one.stopLsn <= at && covers(wals, segmentOf(one.startLsn), at));
  return fit.reduce<BaseSnapshotRef | null>(
    (kept, one) => (kept && kept.stopLsn >= one.stopLsn ? kept : one),
    null,
  );
}

const attempt = (history: History, target: RecoveryTarget): RecoveryPlan | HoldfastError => {
  try {
    return planRecovery({ ...history, target });
  } catch (error) {
    if (HoldfastError.is(error, 'NOT_FOUND', 'WAL_GAP')) return error;
    throw error;
  }
};

describe('a plan', () => {
  test('to a position exists just where one base and WAL without a gap lead there', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 95 }), (history, unit) => {
        const at = lsn(unit);
        const expected = oracle(history, at);
        const plan = attempt(history, { kind: 'lsn', lsn: at });
        if (expected === null) expect(plan).toBeInstanceOf(HoldfastError);
        else {
          if (plan instanceof HoldfastError) throw plan;
          expect(plan.base.stopLsn).toBe(expected.stopLsn);
          expect(covers(plan.wals, segmentOf(plan.base.startLsn), at)).toBe(true);
          for (const [i, one] of plan.wals.entries())
            if (i > 0) expect(one.startLsn).toBe(plan.wals[i - 1]!.endLsn);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('to a time ends where the first later commit is, and with all earlier ones', () => {
    fc.assert(
      fc.property(histories, moments, (history, micros) => {
        const time = BigInt(micros);
        const plan = attempt(history, { kind: 'time', time });
        if (plan instanceof HoldfastError) return;
        expect(plan.base.stoppedAt <= time).toBe(true);
        // Record n is applied when its time is not later.
        const applied = lsn(Math.floor(micros / 1000) + 1);
        expect(
          covers(
            plan.wals,
            segmentOf(plan.base.startLsn),
            applied > plan.base.stopLsn ? applied : plan.base.stopLsn,
          ),
        ).toBe(true);
        const later = plan.wals.some(({ lastTime }) => lastTime !== null && lastTime > time);
        expect(plan.target).toEqual(later ? { kind: 'time', time } : { kind: 'end' });
        expect(
          plan.wals
            .slice(0, -1)
            .every(({ lastTime, endLsn }) => lastTime! <= time || endLsn < plan.base.stopLsn),
        ).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('that cannot be made names moments around that can, and nothing nearer can', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 95 }), (history, unit) => {
        const failure = attempt(history, { kind: 'lsn', lsn: lsn(unit) });
        if (!(failure instanceof HoldfastError)) return;
        const { before, after, gap } = failure.details as {
          before: Moment | null;
          after: Moment | null;
          gap: { from: bigint; to: bigint | null } | null;
        };
        for (const moment of [before, after]) if (moment) expect(oracle(history, moment.lsn)).not.toBeNull();
        const [low, high] = [before?.lsn ?? -1n, after?.lsn ?? lsn(100)];
        for (let other = 0; other < 100; other++) {
          const at = lsn(other);
          if (at > low && at < high) expect(oracle(history, at), `${other}`).toBeNull();
        }
        expect(failure.code).toBe(gap ? 'WAL_GAP' : 'NOT_FOUND');
        if (gap)
          expect(history.wals.some(({ startLsn, endLsn }) => startLsn <= gap.from && gap.from < endLsn)).toBe(
            false,
          );
      }),
      { numRuns: 1000 },
    );
  });
});

describe('timelines', () => {
  const history = Buffer.from('1\t0/280000\tno recovery target specified\n');
  // Branched off at unit 10, in the segment that begins at unit 8.
  const second = (from: number, to: number): WalSnapshotRef => wal(from, to, { timeline: 2, history });
  const all = { bases: [base(1, 3)], wals: [wal(0, 6), wal(6, 12), second(8, 11), second(11, 15)] };

  test('are followed to where the newest leads', () => {
    const plan = planRecovery({ ...all, target: { kind: 'latest' } });
    expect(plan).toMatchObject({ timeline: 2, reach: lsn(15), target: { kind: 'end' } });
    expect(plan.wals.map(({ id }) => id)).toEqual(['wal 1 0-6', 'wal 1 6-12', 'wal 2 8-11', 'wal 2 11-15']);
  });

  test('that were left can be asked for', () => {
    const plan = planRecovery({ ...all, target: { kind: 'latest' }, timeline: 1 });
    expect(plan).toMatchObject({ timeline: 1, reach: lsn(12) });
  });

  test('count only as far as they lead: WAL behind the branch fills no gap', () => {
    const wals = [wal(0, 6), wal(6, 12), second(12, 15)];
    expect(() => planRecovery({ ...all, wals, target: { kind: 'lsn', lsn: lsn(13) } })).toThrow(
      expect.objectContaining({ code: 'WAL_GAP' }),
    );
  });

  test('a moment in front of the branch needs nothing of the newer one', () => {
    const plan = planRecovery({ ...all, target: { kind: 'lsn', lsn: lsn(4) } });
    expect(plan).toMatchObject({ timeline: 1, target: { kind: 'lsn', inclusive: false } });
    expect(plan.wals.map(({ id }) => id)).toEqual(['wal 1 0-6']);
    const last = planRecovery({ ...all, target: { kind: 'time', time: timeOf(9) } });
    expect(last).toMatchObject({ timeline: 1, reach: lsn(10) });
  });

  test('a base that was taken behind the branch, on the old one, is not used', () => {
    const bases = [base(1, 3), base(10, 12)];
    expect(planRecovery({ ...all, bases, target: { kind: 'latest' } }).base.id).toBe('base 1-3');
  });
});

describe('a restore point', () => {
  const wals = [
    wal(0, 6, { restorePoints: [{ name: 'a', lsn: lsn(5) }] }),
    wal(6, 12, { restorePoints: [{ name: 'a', lsn: lsn(7) }] }),
    wal(12, 14),
  ];

  test('of a name given twice is the last one, whatever the server would stop at', () => {
    const plan = planRecovery({ bases: [base(1, 3)], wals, target: { kind: 'name', name: 'a' } });
    expect(plan.target).toEqual({ kind: 'lsn', lsn: lsn(7), inclusive: true });
    expect(plan.wals).toHaveLength(2);
  });

  test('that is unknown is answered with those that are there', () => {
    const plan = (): unknown =>
      planRecovery({ bases: [base(1, 3)], wals, target: { kind: 'name', name: 'b' } });
    expect(plan).toThrow(expect.objectContaining({ code: 'NOT_FOUND', hint: expect.stringContaining('a') }));
  });
});

test('no base, and WAL of another cluster', () => {
  const target: RecoveryTarget = { kind: 'latest' };
  expect(() => planRecovery({ bases: [], wals: [], target })).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND' }),
  );
  const foreign = [wal(0, 9, { systemId: 8n })];
  expect(() => planRecovery({ bases: [base(1, 3)], wals: foreign, target })).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND' }),
  );
});

test('targets in words', () => {
  expect(parseTarget('latest')).toEqual({ kind: 'latest' });
  expect(parseTarget('16/B374D848')).toEqual({ kind: 'lsn', lsn: 0x16_b374d848n });
  const micros = BigInt(Date.UTC(2026, 10, 20, 10, 31, 7)) * 1000n;
  for (const text of [
    '2026-11-20T10:31:07Z',
    '2026-11-20 11:31:07+01',
    '2026-11-20T16:01:07+05:30',
    '2026-11-20 10:31:07.000000+00',
  ])
    expect(parseTarget(text)).toEqual({ kind: 'time', time: micros });
  expect(parseTarget('2026-11-20T10:31:07.25Z')).toEqual({ kind: 'time', time: micros + 250_000n });
  expect(parseTarget('before the mistake')).toEqual({ kind: 'name', name: 'before the mistake' });
  for (const wrong of ['', '2026-11-20T10:31:07', '2026-13-20T10:31:07Z', 'x'.repeat(64)])
    expect(() => parseTarget(wrong)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
