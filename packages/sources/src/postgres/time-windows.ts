import type { RowsWindow } from '@holdfast/formats/rows';
import type { Window } from './options.ts';
import { ident, literal } from './quote.ts';
import type { TimeColumn } from './table-layout.ts';

/** Before year 1, `-infinity` among them; from year 10000 on, `infinity` among them; null. */
export const EARLIER = '0000';
export const LATER = 'later';
export const NONE = 'none';

const DATE = 1082;
const TIMESTAMPTZ = 1184;
/** A Monday too. */
const FIRST_DAY = '0001-01-01';
/** Windows that begin from here on are one. */
const FIRST_OF_LATER = '10000-01-01';
/** The first Monday of year 10000: the week before belongs to 9999. */
const FIRST_WEEK_OF_LATER = '10000-01-03';
const DAY_MS = 86_400_000;

/** SQL for the beginning of a row's window, of type timestamp. The session's time zone is UTC. */
export function windowStartSql({ column, window }: TimeColumn): string {
  const name = ident(column.name);
  // Dates reach further than timestamps do.
  const within = `case when ${name} >= '${FIRST_WEEK_OF_LATER}' then 'infinity' when ${name} < '${FIRST_DAY}' then '-infinity' else ${name}::timestamp end`;
  return `date_trunc('${window}', ${column.baseOid === DATE ? within : `${name}::timestamp`})`;
}

/** SQL for the name of the window that begins at `start`: `2026-11-01`, `0000`, `later`, or null. */
export const windowNameSql = (start: string): string =>
  `case when ${start} < '${FIRST_DAY}' then '${EARLIER}' when ${start} >= '${FIRST_OF_LATER}' then '${LATER}' else to_char(${start}, 'YYYY-MM-DD') end`;

/** @param start as `windowNameSql` gives it. */
export function windowFrom(time: TimeColumn, start: string | null): RowsWindow {
  const { name: column } = time.column;
  if (start === null) return { label: NONE, column, from: null, to: null };
  if (start === EARLIER) return { label: EARLIER, column, from: null, to: bound(time, FIRST_DAY) };
  if (start === LATER) {
    const from = time.window === 'week' ? FIRST_WEEK_OF_LATER : FIRST_OF_LATER;
    return { label: LATER, column, from: bound(time, from), to: null };
  }
  return {
    label: windowLabel(start, time.window),
    column,
    from: bound(time, start),
    to: bound(time, windowEnd(start, time.window)),
  };
}

const bound = ({ column }: TimeColumn, day: string): string =>
  column.baseOid === TIMESTAMPTZ ? `${day} 00:00:00+00` : day;

export const predicate = ({ column, from, to, label }: RowsWindow): string => {
  const name = ident(column);
  if (label === NONE) return `${name} is null`;
  return [from && `${name} >= ${literal(from)}`, to && `${name} < ${literal(to)}`]
    .filter(Boolean)
    .join(' and ');
};

const dayText = (ms: number): string => new Date(ms).toISOString().split('T')[0]!.replace(/^\+0*/, '');

/** The first day that is no longer in the window. */
export function windowEnd(start: string, window: Window): string {
  const from = Date.parse(`${start}T00:00:00Z`);
  if (window === 'day') return dayText(from + DAY_MS);
  if (window === 'week') return dayText(from + 7 * DAY_MS);
  const next = new Date(from);
  next.setUTCMonth(next.getUTCMonth() + 1);
  return dayText(next.getTime());
}

/** `2026-11`, `2026-W48`, `2026-11-30`. */
export function windowLabel(start: string, window: Window): string {
  if (window === 'day') return start;
  if (window === 'month') return start.slice(0, 7);
  // ISO 8601: a week belongs to the year that its Thursday is in.
  const thursday = new Date(Date.parse(`${start}T00:00:00Z`) + 3 * DAY_MS);
  const year = thursday.getUTCFullYear();
  const first = new Date(0);
  first.setUTCFullYear(year, 0, 1);
  const week = 1 + Math.floor((thursday.getTime() - first.getTime()) / (7 * DAY_MS));
  return `${String(year).padStart(4, '0')}-W${String(week).padStart(2, '0')}`;
}
