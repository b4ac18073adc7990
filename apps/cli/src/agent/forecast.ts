import { loadConfig } from '../config/load.ts';
import { nextRun } from './decide.ts';
import { planOf, timetableOf } from './plan.ts';
import { resume } from './resume.ts';
import { readState } from './state-file.ts';
import type { Task } from './task.ts';
import { tasksOf } from './tasks.ts';

export interface Forecast {
  readonly task: string;
  readonly source: string | null;
  readonly schedule: string;
  /** The next moment of the schedule. */
  readonly slot: number | null;
  /** When the agent would run next if it were there now; without its memory not known to the second. */
  readonly next: number | null;
}

/** When each task is next. CONFIG_INVALID for a configuration with mistakes. Changes nothing. */
export async function forecast(vault: string, now: number): Promise<Forecast[]> {
  const config = await loadConfig(vault);
  const { state } = await readState(vault);
  const seed = Buffer.from(state?.seed ?? '', 'hex');
  return tasksOf({ vault, config, passphrase: null, shared: null }).map((task) => {
    const plan = planOf(task, seed);
    const tasks = resume([plan], state?.tasks ?? {}, now).tasks;
    const slot = timetableOf(task.schedule).after(now);
    const next = state ? nextRun(plan, tasks[plan.name]!, now) : slot;
    return {
      task: task.name,
      source: task.source,
      schedule: describe(task),
      slot,
      next: next && Math.max(now, next),
    };
  });
}

/** As written in the file. */
export function describe({ schedule }: Pick<Task, 'schedule'>): string {
  const { every, cron, timezone } = schedule;
  if (every !== undefined) return `every ${shortDuration(every)}`;
  return timezone === undefined ? cron! : `${cron} (${timezone})`;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

function shortDuration(milliseconds: number): string {
  let [text, rest] = ['', milliseconds];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * length;
  }
  return rest > 0 ? `${text}${rest}ms` : text;
}
