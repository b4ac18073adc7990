import { Cron } from 'croner';

/** When something is to be done: moments in milliseconds since the epoch, each a *slot*. */
export interface Timetable {
  /** The first slot after the moment; null when none will ever come. */
  after(moment: number): number | null;
  /** The newest slot at or before the moment; null when there was none. */
  upTo(moment: number): number | null;
}

/** Multiples of the interval since the epoch: the same slots after every restart. */
export function everyInterval(milliseconds: number): Timetable {
  return {
    after: (moment) => (Math.floor(moment / milliseconds) + 1) * milliseconds,
    upTo: (moment) => Math.floor(moment / milliseconds) * milliseconds,
  };
}

/**
 * Throws what croner says of a pattern that is none. Days without the time (clocks put forward) have the slot right after the gap;
 * of a time that comes twice, only the first counts, unless the pattern repeats within the hour.
 * @param timezone an IANA name; the machine's own by default
 */
export function cronSlots(pattern: string, timezone?: string): Timetable {
  const cron = new Cron(pattern, { paused: true, mode: '5-or-6-parts', ...(timezone ? { timezone } : {}) });
  return {
    after: (moment) => cron.nextRun(new Date(moment))?.getTime() ?? null,
    // What is asked for lies before the moment given, and slots are at full seconds.
    upTo: (moment) => cron.previousRuns(1, new Date(moment + 1))[0]?.getTime() ?? null,
  };
}
