import { HoldfastError } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, parseBytes } from '../src/units/bytes.ts';
import { formatCount, parseCount } from '../src/units/count.ts';
import { formatAgo, formatClock, formatDuration, parseDuration } from '../src/units/duration.ts';
import { formatPercent, parseFraction } from '../src/units/fraction.ts';

const usage = (run: () => unknown): void => {
  try {
    run();
  } catch (error) {
    expect(HoldfastError.is(error, 'USAGE')).toBe(true);
    expect((error as HoldfastError).hint).toBeTruthy();
    return;
  }
  expect.unreachable('it should have been refused');
};

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['100GiB', 100 * 2 ** 30],
    ['1.5 GiB', 1.5 * 2 ** 30],
    [' 2g ', 2 * 2 ** 30],
    ['500MB', 500_000_000],
    ['.5KiB', 512],
    ['3tib', 3 * 2 ** 40],
  ])('%s is %d bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each(['', 'GiB', '-1', '1 XiB', '1e3', '1,5 GiB', '0x10', '9999999PiB', '1.2.3', 'Infinity'])(
    'refuses "%s"',
    (text) => usage(() => parseBytes(text)),
  );

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '0.98 KiB'],
    [1536, '1.50 KiB'],
    [1.5 * 2 ** 30, '1.50 GiB'],
    [204 * 2 ** 20, '204 MiB'],
    [88.1 * 2 ** 20, '88.1 MiB'],
    [2 ** 30, '1 GiB'],
  ])('%d bytes print as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it('reads back what it prints, to three digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (bytes) => {
        expect(Math.abs(parseBytes(formatBytes(bytes)) - bytes)).toBeLessThanOrEqual(bytes * 0.0055);
      }),
    );
  });

  it('never crashes on arbitrary text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(Number.isSafeInteger(parseBytes(text))).toBe(true);
        } catch (error) {
          expect(HoldfastError.is(error, 'USAGE')).toBe(true);
        }
      }),
    );
  });
});

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['1 h 30 min', 5_400_000],
    ['90d', 90 * 86_400_000],
    ['2w', 14 * 86_400_000],
    ['0.5s', 500],
  ])('%s is %d ms', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

  it.each(['', '30', 's', '30 parsecs', '1h30', '-5s', '5s!'])('refuses "%s"', (text) =>
    usage(() => parseDuration(text)),
  );

  it('prints what people read', () => {
    expect(formatDuration(420)).toBe('0.4 s');
    expect(formatDuration(12_300)).toBe('12 s');
    expect(formatDuration(200_000)).toBe('3 min 20 s');
    expect(formatDuration(7_500_000)).toBe('2 h 5 min');
    expect(formatDuration(273_600_000)).toBe('3 d 4 h');
    expect(formatClock(7_000)).toBe('0:07');
    expect(formatClock(3_750_000)).toBe('1:02:30');
    expect(formatAgo(1_000, 30_000)).toBe('just now');
    expect(formatAgo(0, 5 * 60_000)).toBe('5 min 0 s ago'.replace(' 0 s', ''));
    expect(formatAgo(10, 0)).toBe('just now');
  });
});

describe('fractions and counts', () => {
  it.each([
    ['10%', 0.1],
    ['2.5 %', 0.025],
    ['0.1', 0.1],
    ['100%', 1],
    ['1', 1],
  ])('%s is %d', (text, fraction) => expect(parseFraction(text)).toBeCloseTo(fraction, 12));

  it.each(['', '0', '0%', '101%', '10', '-5%', 'ten'])('refuses "%s"', (text) =>
    usage(() => parseFraction(text)),
  );

  it('never rounds something unfinished to done, or something begun to nothing', () => {
    expect(formatPercent(0.9999)).toBe('99 %');
    expect(formatPercent(1)).toBe('100 %');
    expect(formatPercent(0.001)).toBe('<1 %');
    expect(formatPercent(0)).toBe('0 %');
  });

  it('counts', () => {
    expect(parseCount('4', '--k', 2, 200)).toBe(4);
    for (const text of ['1', '201', '4.5', '', 'four', '-4', '1e1'])
      usage(() => parseCount(text, '--k', 2, 200));
    expect(formatCount(1, 'peer')).toBe('1 peer');
    expect(formatCount(1_234_567, 'chunk')).toBe('1 234 567 chunks');
  });
});
