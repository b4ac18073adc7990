import type { Timetable } from './timetable.ts';

/**
 * When a task is overdue that last worked at `last`: after two intervals; by cron after the time from the slot before to the second slot
 * after. Null when no further slots come.
 */
export function overdueAt({ after, upTo }: Timetable, last: number): number | null {
  const first = after(last);
  const second = first === null ? null : after(first);
  return second === null ? null : last + (second - (upTo(last) ?? last));
}
