import { type AgentState, newTask, nextAttempt, type TaskPlan, type TaskState, type Turn } from './decide.ts';
import type { SchedulePlan } from './plan.ts';

/** What was known of a task when the agent last wrote it down. */
export interface SavedTask extends TaskState {
  /** The schedule's own words; slots of another one say nothing about this one. */
  readonly schedule: string;
}

/** Where decisions go on after a restart, or with another configuration. */
export function resume(
  plans: readonly SchedulePlan[],
  saved: Readonly<Record<string, SavedTask>>,
  now: number,
): AgentState {
  const tasks = Object.fromEntries(
    plans.map((plan) => {
      const before = Object.hasOwn(saved, plan.name) ? saved[plan.name] : undefined;
      return [plan.name, before ? resumeTask(plan, before, plan.schedule, now) : newTask(plan, now)];
    }),
  );
  const orders = Object.values(tasks).map((task) => task.pending?.order ?? -1);
  return { tasks, order: Math.max(-1, ...orders) + 1 };
}

/** The same when the configuration changes while runs go on. */
export function reconfigure(
  plans: readonly SchedulePlan[],
  before: readonly SchedulePlan[],
  { tasks, order }: AgentState,
  now: number,
): AgentState {
  const schedules = new Map(before.map((plan) => [plan.name, plan.schedule]));
  const kept = plans.map((plan) => {
    const task = tasks[plan.name];
    if (!task) return [plan.name, newTask(plan, now)] as const;
    if (schedules.get(plan.name) === plan.schedule) return [plan.name, task] as const;
    const settled = Math.max(task.settled, plan.timetable.upTo(now) ?? now);
    return [plan.name, { ...task, settled }] as const;
  });
  return { tasks: Object.fromEntries(kept), order };
}

function resumeTask(plan: TaskPlan, saved: SavedTask, schedule: string, now: number): TaskState {
  const newest = plan.timetable.upTo(now);
  const settled = saved.schedule === schedule ? saved.settled : Math.max(saved.settled, newest ?? now);
  const outdated = (turn: Turn | null): boolean =>
    turn !== null && !plan.catchUp && newest !== null && newest > turn.slot;
  // A run that was under way ended with the process: it failed, and may work at another try.
  const retry = saved.running ? nextAttempt(plan.retries, saved.running, now) : saved.retry;
  return {
    settled,
    running: null,
    pending: outdated(saved.pending) ? null : saved.pending,
    retry: saved.pending || outdated(retry) ? null : retry,
  };
}
