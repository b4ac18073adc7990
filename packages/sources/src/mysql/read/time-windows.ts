import type { RowsWindow } from '@holdfast/formats/rows';
import { quotePath } from '../quoting.ts';
import type { ColumnFacts } from './catalog.ts';

export const WINDOWS = ['month', 'week', 'day'] as const;
export type WindowKind = (typeof WINDOWS)[number];

const DAY_MS = 86_400_000;
/** Zero dates come before it; like null they say nothing about when. */
const FIRST = '0001-01-01';
export const TIME_TYPES = new Set(['date', 'datetime', 'timestamp']);

/** Gives each day that rows have, as text, once; null among them. Days that no calendar has, such as `2026-00-00`, too. */
export const daysQuery = (table: string, column: string): string =>
  `SELECT SQL_NO_CACHE DATE_FORMAT(${quotePath(table, column)}, '%Y-%m-%d') AS day FROM ${quotePath(table)} GROUP BY day`;

/** The windows that hold these days, in the order of their labels. */
export function windowsOf(
  days: readonly (string | null)[],
  column: ColumnFacts,
  kind: WindowKind,
): readonly RowsWindow[] {
  const suffix = column.dataType === 'date' ? '' : ' 00:00:00';
  const windows = new Map<string, RowsWindow>();
  for (const day of days) {
    const { label, from, to } = windowAt(day, kind);
    // Later years cannot be compared with, and cannot be stored.
    const bound = (at: Date | null): string | null =>
      at === null || at.getUTCFullYear() > 9999 ? null : `${textOf(at)}${suffix}`;
    windows.set(label, { label, column: column.name, from: bound(from), to: bound(to) });
  }
  return [...windows.values()].sort((a, b) => (a.label < b.label ? -1 : 1));
}

/** The condition that the rows of a window, and no others, fulfil. */
export function windowCondition(table: string, { label, column, from, to }: RowsWindow): string {
  const name = quotePath(table, column);
  if (label === 'none') return `(${name} IS NULL OR ${name} < '${FIRST}')`;
  return to === null ? `${name} >= '${from}'` : `${name} >= '${from}' AND ${name} < '${to}'`;
}

interface Bounds {
  readonly label: string;
  readonly from: Date | null;
  readonly to: Date | null;
}

function windowAt(day: string | null, kind: WindowKind): Bounds {
  if (day === null || day < FIRST) return { label: 'none', from: null, to: null };
  const date = nearestDay(day);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (kind === 'month')
    return { label: textOf(date).slice(0, 7), from: utc(year, month, 1), to: utc(year, month + 1, 1) };
  if (kind === 'day') return { label: textOf(date), from: date, to: new Date(date.getTime() + DAY_MS) };
  const monday = new Date(date.getTime() - ((date.getUTCDay() + 6) % 7) * DAY_MS);
  return { label: weekLabel(monday), from: monday, to: new Date(monday.getTime() + 7 * DAY_MS) };
}

/** The last real day not after it: MySQL orders `2026-02-31` and `2026-03-00` between 28 February and 1 March. */
function nearestDay(text: string): Date {
  const [year, month, day] = text.split('-').map(Number) as [number, number, number];
  if (month === 0) return utc(year, 0, 0);
  const last = utc(year, month, 0);
  return day > last.getUTCDate() ? last : utc(year, month - 1, day);
}

/** ISO 8601: a week belongs to the year that its Thursday is in. */
function weekLabel(monday: Date): string {
  const thursday = new Date(monday.getTime() + 3 * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = 1 + Math.floor((thursday.getTime() - utc(year, 0, 1).getTime()) / (7 * DAY_MS));
  return `${String(year).padStart(4, '0')}-W${String(week).padStart(2, '0')}`;
}

/** `Date.UTC` takes years below 100 to be of the last century. */
function utc(year: number, month: number, day: number): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date;
}

function textOf(date: Date): string {
  return `${String(date.getUTCFullYear()).padStart(4, '0')}-${date.toISOString().slice(-19, -14)}`;
}
