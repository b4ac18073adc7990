import type { FieldBytes } from './field-bytes.ts';

const DAY_MICROSECONDS = 86_400_000_000n;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT32 = -(2 ** 31);
const MAX_INT32 = 2 ** 31 - 1;

export function dateText(field: FieldBytes): string {
  const days = field.int32();
  if (days === MIN_INT32) return '-infinity';
  if (days === MAX_INT32) return 'infinity';
  const { text, era } = calendar(days);
  return text + era;
}

export const timeText = (field: FieldBytes): string => clock(field.int64());

export function timetzText(field: FieldBytes): string {
  const time = clock(field.int64());
  return time + zone(field.int32());
}

/** @param suffix Behind the time of day. */
export function timestampText(field: FieldBytes, suffix = ''): string {
  const microseconds = field.int64();
  if (microseconds === MIN_INT64) return '-infinity';
  if (microseconds === MAX_INT64) return 'infinity';
  let days = microseconds / DAY_MICROSECONDS;
  let rest = microseconds % DAY_MICROSECONDS;
  if (rest < 0n) {
    rest += DAY_MICROSECONDS;
    days -= 1n;
  }
  const { text, era } = calendar(Number(days));
  return `${text} ${clock(rest)}${suffix}${era}`;
}

export function intervalText(field: FieldBytes): string {
  const microseconds = field.int64();
  const days = field.int32();
  const months = field.int32();
  if (days === MAX_INT32 && months === MAX_INT32 && microseconds === MAX_INT64) return 'infinity';
  if (days === MIN_INT32 && months === MIN_INT32 && microseconds === MIN_INT64) return '-infinity';
  const units = [
    [Math.trunc(months / 12), 'year'],
    [months % 12, 'mon'],
    [days, 'day'],
  ] as const;
  const parts: string[] = [];
  // What follows a negative part says its sign even when that is plus.
  let plus = '';
  for (const [value, unit] of units) {
    if (value === 0) continue;
    parts.push(`${value > 0 ? plus : ''}${value} ${unit}${value === 1 ? '' : 's'}`);
    plus = value < 0 ? '+' : '';
  }
  if (microseconds !== 0n || parts.length === 0) {
    parts.push(microseconds < 0n ? `-${clock(-microseconds)}` : plus + clock(microseconds));
  }
  return parts.join(' ');
}

/** Days since the beginning of 2000 in the Gregorian calendar, as it would have been before it was. */
function calendar(since2000: number): { text: string; era: string } {
  // Years begin in March, so that leap days are last; 730 425 days lie between 1 March of year 0 and 2000.
  const day = since2000 + 730_425;
  const era = Math.floor(day / 146_097);
  const dayOfEra = day - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const date = dayOfYear - Math.floor((153 * march + 2) / 5) + 1;
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return { text: `${shown}-${two(month)}-${two(date)}`, era: year > 0 ? '' : ' BC' };
}

/** Hours may be more than a day's. */
function clock(microseconds: bigint): string {
  const seconds = microseconds / 1_000_000n;
  const fraction = Number(microseconds % 1_000_000n);
  const behind = fraction === 0 ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
  return `${hms(Number(seconds))}${behind}`;
}

const hms = (seconds: number): string =>
  `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;

/** @param west Seconds. */
function zone(west: number): string {
  const absolute = Math.abs(west);
  const [hours, minutes, seconds] = hms(absolute).split(':');
  const sign = west <= 0 ? '+' : '-';
  if (seconds !== '00') return `${sign}${hours}:${minutes}:${seconds}`;
  return minutes === '00' ? `${sign}${hours}` : `${sign}${hours}:${minutes}`;
}

const two = (value: number): string => String(value).padStart(2, '0');
