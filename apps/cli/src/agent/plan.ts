import type { ScheduleConfig } from '../config/schedule-schema.ts';
import type { TaskPlan } from './decide.ts';
import { slotShare } from './jitter.ts';
import { cronSlots, everyInterval, type Timetable } from './timetable.ts';

/** Unless it is set: a tenth of the interval, and no more than this. */
const MOST_JITTER = 600_000;

export interface SchedulePlan extends TaskPlan {
  /** The schedule's own words. */
  readonly schedule: string;
}

export const timetableOf = ({ every, cron, timezone }: ScheduleConfig): Timetable =>
  every === undefined ? cronSlots(cron!, timezone) : everyInterval(every);

export function planOf(
  task: { readonly name: string; readonly lane: string; readonly schedule: ScheduleConfig },
  seed: Uint8Array,
): SchedulePlan {
  const { name, lane, schedule } = task;
  const { every, cron, timezone, catchUp, retries, jitter } = schedule;
  const timetable = timetableOf(schedule);
  return {
    name,
    lane,
    timetable,
    delay: (slot) => Math.floor(mostDelay(timetable, slot, jitter) * slotShare(seed, name, slot)),
    catchUp,
    retries,
    schedule: every === undefined ? `cron ${cron} ${timezone ?? ''}`.trim() : `every ${every}`,
  };
}

/** Never so much that two slots could change places. */
function mostDelay(timetable: Timetable, slot: number, jitter: number | undefined): number {
  const gap = (timetable.after(slot) ?? slot) - slot;
  return Math.min(jitter ?? Math.min(gap / 10, MOST_JITTER), gap / 2);
}
