import { HoldfastError } from '@holdfast/contracts';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `30s`, `1h30m`, `90d`, `250ms` to milliseconds. USAGE otherwise, also for a number without a unit. */
export function parseDuration(text: string): number {
  const compact = text.replace(/\s+/g, '').toLowerCase();
  const parts = [...compact.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/g)];
  const whole = parts.map((part) => part[0]).join('') === compact;
  const sum = parts.reduce((total, part) => total + Number(part[1]) * (UNITS[part[2]!] ?? Number.NaN), 0);
  if (parts.length === 0 || !whole || !Number.isSafeInteger(Math.round(sum))) {
    throw new HoldfastError('USAGE', `"${text}" is not a duration.`, {
      hint: 'Write numbers with units, such as 30s, 1h30m or 90d.',
      details: { value: text },
    });
  }
  return Math.round(sum);
}

/** For summaries: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(whole, 60, 'min', 1, 's');
  if (whole < 86_400) return pair(whole, 3600, 'h', 60, 'min');
  return pair(whole, 86_400, 'd', 3600, 'h');
}

/** For progress lines, where the width must not jump: `0:07`, `12:30`, `1:02:30`. */
export function formatClock(milliseconds: number): string {
  const whole = Math.round(Math.max(0, milliseconds) / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** How long ago: `just now`, `5 min ago`, `3 d 4 h ago`. A clock that went back counts as now. */
export function formatAgo(then: number, now: number): string {
  return now - then < 60_000
    ? 'just now'
    : `${formatDuration(Math.floor((now - then) / 60_000) * 60_000)} ago`;
}

/** Local time to the minute, sortable: `2026-11-22 12:48`. */
export function formatMoment(milliseconds: number): string {
  const moment = new Date(milliseconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${day} ${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

function pair(seconds: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % big) / small);
  return `${Math.floor(seconds / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}
