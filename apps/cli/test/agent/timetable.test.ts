import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotShare } from '../../src/agent/jitter.ts';
import { overdueAt } from '../../src/agent/overdue.ts';
import { planOf } from '../../src/agent/plan.ts';
import { cronSlots, everyInterval, type Timetable } from '../../src/agent/timetable.ts';
import { scheduleSchema } from '../../src/config/schedule-schema.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

const moment = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2030, 0) });
const pattern = fc.constantFrom(
  '0 3 * * *',
  '30 2 * * *',
  '*/15 * * * *',
  '0 * * * *',
  '0 3 * * 1-5',
  '0 4 1 * *',
  '59 23 L * *',
  '*/10 * * * * *',
  '15,45 1-3 * * *',
);
const zone = fc.constantFrom(
  'Europe/Vienna',
  'America/New_York',
  'Australia/Lord_Howe',
  'UTC',
  'Asia/Kolkata',
);
const timetable: fc.Arbitrary<Timetable> = fc.oneof(
  fc.integer({ min: 1000, max: 40 * DAY }).map(everyInterval),
  fc.tuple(pattern, zone).map(([text, name]) => cronSlots(text, name)),
);

describe('slots', () => {
  it('looking back and looking forward see the same ones', () => {
    fc.assert(
      fc.property(timetable, moment, ({ after, upTo }, now) => {
        const [past, coming] = [upTo(now)!, after(now)!];
        expect(past).toBeLessThanOrEqual(now);
        expect(coming).toBeGreaterThan(now);
        expect(after(past)).toBe(coming);
        expect(upTo(coming)).toBe(coming);
        expect(upTo(coming - 1)).toBe(past);
        expect(after(past - 1)).toBe(past);
      }),
      { numRuns: 500 },
    );
  });

  it('around changes of the clocks as well', () => {
    const changes = [Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 1)];
    const nearby = fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -4 * HOUR, max: 4 * HOUR }));
    fc.assert(
      fc.property(pattern, nearby, (text, [change, offset]) => {
        const { after, upTo } = cronSlots(text, 'Europe/Vienna');
        const now = change + offset;
        expect(after(upTo(now)!)).toBe(after(now));
        expect(upTo(after(now)! - 1)).toBe(upTo(now));
      }),
      { numRuns: 500 },
    );
  });

  it('a time that the clocks leap over is made up for right after, and one that comes twice counts once', () => {
    const { after } = cronSlots('30 2 * * *', 'Europe/Vienna');
    const spring = after(Date.UTC(2026, 2, 28, 12))!;
    expect(new Date(spring).toISOString()).toBe('2026-03-29T01:00:00.000Z');
    const autumn = after(Date.UTC(2026, 9, 24, 12))!;
    expect(new Date(autumn).toISOString()).toBe('2026-10-25T00:30:00.000Z');
    expect(new Date(after(autumn)!).toISOString()).toBe('2026-10-26T01:30:00.000Z');
  });

  it('of an interval are the same whenever one asks', () => {
    const { after } = everyInterval(15 * 60_000);
    expect(new Date(after(Date.UTC(2026, 10, 20, 10, 31))!).toISOString()).toBe('2026-11-20T10:45:00.000Z');
  });

  it('that never come again are none', () => {
    const once = cronSlots('0 0 29 2 *', 'UTC');
    expect(once.after(Date.UTC(2026, 0))).toBe(Date.UTC(2028, 1, 29));
    expect(cronSlots('0 0 30 2 *', 'UTC').after(Date.UTC(2026, 0))).toBeNull();
  });
});

describe('jitter', () => {
  const plan = (schedule: object, seed = 'one') =>
    planOf(
      { name: 'backup:app', lane: 'vault', schedule: scheduleSchema.parse(schedule) },
      Buffer.from(seed),
    );

  it('is a tenth of the interval and ten minutes at most, unless it is set', () => {
    const most = ({ delay }: ReturnType<typeof plan>): number =>
      Math.max(...Array.from({ length: 2000 }, (_, i) => delay(i * HOUR)));
    expect(most(plan({ every: '1h' })) / 60_000).toBeCloseTo(6, 0);
    expect(most(plan({ every: '1d' })) / 60_000).toBeCloseTo(10, 0);
    expect(most(plan({ every: '1h', jitter: '30m' })) / 60_000).toBeCloseTo(30, 0);
    expect(most(plan({ every: '1h', jitter: '0s' }))).toBe(0);
  });

  it('of a slot stays the same; other slots, tasks and vaults have another', () => {
    const [a, b] = [plan({ every: '1h' }), plan({ every: '1h' }, 'two')];
    expect(a.delay(DAY)).toBe(plan({ every: '1h' }).delay(DAY));
    expect(new Set([a.delay(DAY), a.delay(DAY + HOUR), b.delay(DAY)]).size).toBe(3);
    expect(slotShare(Buffer.from('x'), 'a', 1)).not.toBe(slotShare(Buffer.from('x'), 'b', 1));
  });

  it('never makes two slots change places', () => {
    fc.assert(
      fc.property(pattern, zone, moment, fc.integer({ min: 0, max: YEAR }), (cron, timezone, now, jitter) => {
        const { timetable: slots, delay } = plan({ cron, timezone, jitter: `${jitter}ms` });
        const [first, second] = [slots.upTo(now)!, slots.after(now)!];
        expect(first + delay(first)).toBeLessThan(second);
        expect(delay(first)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('overdue', () => {
  const at = (text: string): number => Date.parse(`${text}Z`);

  it('is what has not worked for two intervals', () => {
    expect(overdueAt(everyInterval(HOUR), at('2026-11-20T10:05:00'))).toBe(at('2026-11-20T12:05:00'));
  });

  it('allows for gaps between the slots of a pattern', () => {
    const workdays = cronSlots('0 3 * * 1-5', 'UTC');
    // Friday's run at 3:05 is followed by those of Monday and Tuesday.
    expect(overdueAt(workdays, at('2026-11-20T03:05:00'))).toBe(at('2026-11-24T03:05:00'));
    expect(overdueAt(workdays, at('2026-11-17T03:05:00'))).toBe(at('2026-11-19T03:05:00'));
  });

  it('is nothing that has no slots any more', () => {
    expect(overdueAt({ after: () => null, upTo: () => null }, 5)).toBeNull();
  });
});
