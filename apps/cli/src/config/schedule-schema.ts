import { z } from 'zod';
import { cronSlots } from '../agent/timetable.ts';
import { duration } from './duration-schema.ts';

const SHORTEST = 1000;

const someTime = duration.refine((milliseconds) => milliseconds > 0, 'must be longer than no time');

const retries = z
  .strictObject({
    count: z.int().min(0).max(100).default(3),
    wait: someTime.prefault('30s'),
    longest: someTime.prefault('15m'),
  })
  .refine(({ wait, longest }) => wait <= longest, {
    path: ['wait'],
    message: 'must not exceed longest, the longest wait (15m by default)',
  });

/** When the agent does something, and how it deals with runs that are missed, hang or fail. */
export const scheduleFields = {
  every: duration.refine((milliseconds) => milliseconds >= SHORTEST, 'must be 1s or longer').optional(),
  cron: z.string().min(1).max(200).optional(),
  timezone: z.string().min(1).max(100).optional(),
  jitter: duration.optional(),
  catchUp: z.boolean().default(true),
  timeout: someTime.optional(),
  retries: retries.prefault({}),
};

export function checkSchedule(schedule: Given, context: z.RefinementCtx): void {
  for (const [setting, message] of contradictions(schedule)) {
    context.addIssue({ code: 'custom', path: setting === null ? [] : [setting], message });
  }
}

export const scheduleSchema = z.strictObject(scheduleFields).superRefine(checkSchedule);

export type ScheduleConfig = z.output<typeof scheduleSchema>;

type Given = Pick<ScheduleConfig, 'every' | 'cron' | 'timezone' | 'jitter'>;

function contradictions({ every, cron, timezone, jitter }: Given): [keyof Given | null, string][] {
  if (every === undefined && cron === undefined) return [[null, 'give either every, such as 15m, or cron']];
  if (every !== undefined && cron !== undefined) return [['cron', 'give either every or cron, not both']];
  if (every !== undefined && timezone !== undefined) {
    return [['timezone', 'only cron has a time zone; every counts from midnight UTC']];
  }
  if (every !== undefined && jitter !== undefined && jitter > every / 2) {
    return [['jitter', 'must not exceed half of every']];
  }
  return cron === undefined ? [] : cronProblem(cron, timezone);
}

function cronProblem(cron: string, timezone: string | undefined): ['cron' | 'timezone', string][] {
  if (timezone !== undefined && !isTimezone(timezone)) {
    return [['timezone', 'no time zone of that name is known; write one like Europe/Vienna']];
  }
  try {
    if (cronSlots(cron, timezone).after(Date.now()) !== null) return [];
    return [['cron', 'no such moment will ever come']];
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '').replace(/\.$/, '') : '';
    return [['cron', `not a cron pattern, such as "0 3 * * *" for every day at 3: ${why}`]];
  }
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
