import type { Timetable } from './timetable.ts';

/** What the decisions about one task rest on. */
export interface TaskPlan {
  readonly name: string;
  /** Tasks of one lane run one after the other. */
  readonly lane: string;
  readonly timetable: Timetable;
  /** From a slot to when its run is due, in milliseconds: always the same for one slot. */
  readonly delay: (slot: number) => number;
  /** Whether a slot that was missed is made up for. */
  readonly catchUp: boolean;
  readonly retries: RetryPlan;
}

export interface RetryPlan {
  readonly count: number;
  /** Milliseconds before the first; each further one waits twice as long. */
  readonly wait: number;
  readonly longest: number;
}

/** A run to be made: of which slot, and the how manieth try. */
export interface Turn {
  readonly slot: number;
  /** 0 for the first. */
  readonly attempt: number;
  /** The slot was missed, and this makes up for it. */
  readonly late: boolean;
}

export interface TaskState {
  /** The newest slot that needs nothing more decided: its run was ordered, a newer one does for it, or it was let pass. */
  readonly settled: number;
  /** Waits for its lane; the lowest order is next. */
  readonly pending: (Turn & { readonly order: number }) | null;
  readonly running: Turn | null;
  readonly retry: (Turn & { readonly at: number; readonly wait: number }) | null;
}

export interface AgentState {
  readonly tasks: Readonly<Record<string, TaskState>>;
  /** Counts up: who came first. */
  readonly order: number;
}

export type Action =
  | ({ readonly type: 'start'; readonly task: string } & Turn)
  /** Nothing is run for this slot: it was missed, or came while its task ran, and is not to be made up for. */
  | { readonly type: 'pass'; readonly task: string; readonly slot: number }
  | { readonly type: 'clock-went-back'; readonly task: string };

export interface Decision {
  readonly state: AgentState;
  readonly actions: readonly Action[];
  /** When to ask again at the latest, should nothing happen before; null: never. */
  readonly wakeAt: number | null;
}

/** A run this much after it was due was not merely held up by a busy machine: the agent did not run, or the machine slept. */
export const MISSED_AFTER = 60_000;

/** A task that is new to the agent: what lies before `now` is none of its business. */
export const newTask = (plan: TaskPlan, now: number): TaskState => ({
  settled: plan.timetable.upTo(now) ?? now,
  pending: null,
  running: null,
  retry: null,
});

/**
 * What is to be done now. Asking twice at one moment changes nothing. Whatever the wall clock does between two calls, at most one run
 * of each task is ordered by a call.
 */
export function next(plans: readonly TaskPlan[], before: AgentState, now: number): Decision {
  const actions: Action[] = [];
  const tasks: Record<string, TaskState> = {};
  let { order } = before;
  for (const plan of plans) {
    const noticed = noticeSlot(plan, before.tasks[plan.name] ?? newTask(plan, now), now, actions);
    const queued = noticed.turn ? { ...noticed.turn, order: noticed.task.pending?.order ?? order++ } : null;
    tasks[plan.name] = queued
      ? { ...noticed.task, settled: queued.slot, pending: queued, retry: null }
      : takeUpRetry(noticed.task, now, () => order++);
  }
  startPending(plans, tasks, actions);
  return { state: { tasks, order }, actions, wakeAt: wakeTime(plans, tasks) };
}

/** The run has what it needs and reads its source from now on: it does for slots that came while it waited. */
export function began(state: AgentState, name: string): AgentState {
  const task = state.tasks[name];
  if (!task?.running || !task.pending) return state;
  const running = { ...task.running, slot: task.pending.slot };
  return withTask(state, name, { ...task, running, pending: null });
}

export type Ending =
  /** Nothing more to be done for this slot. */
  | 'final'
  /** Failed, and may work at another try. */
  | 'passing'
  /** Given up because the agent stops: to be made as soon as it runs again, and no failure. */
  | 'stopped';

/** The run is over. `retryAt` is null when there will be no other try for this slot. */
export function ended(
  plan: TaskPlan,
  state: AgentState,
  ending: Ending,
  now: number,
): { state: AgentState; retryAt: number | null } {
  const task = state.tasks[plan.name];
  if (!task?.running) return { state, retryAt: null };
  const retry = nextTry(plan, task, task.running, ending, now);
  return {
    state: withTask(state, plan.name, { ...task, running: null, retry }),
    retryAt: retry?.at ?? null,
  };
}

/** When the task will run next by what is known now; null: never. */
export function nextRun(plan: TaskPlan, task: TaskState, now: number): number | null {
  if (task.pending) return now;
  const due = nextDue(plan, task);
  return task.retry === null ? due : Math.min(task.retry.at, due ?? task.retry.at);
}

/** After a failure that may pass; null when there were enough tries. */
export function nextAttempt(
  { count, wait: first, longest }: RetryPlan,
  { slot, attempt, late }: Turn,
  now: number,
): TaskState['retry'] {
  if (attempt >= count) return null;
  const wait = Math.min(longest, first * 2 ** attempt);
  return { slot, attempt: attempt + 1, late, at: now + wait, wait };
}

function noticeSlot(
  plan: TaskPlan,
  known: TaskState,
  now: number,
  actions: Action[],
): { task: TaskState; turn: Turn | null } {
  const task = afterClockWentBack(plan, known, now, actions);
  const slot = newestDue(plan, now);
  if (slot === null || slot <= task.settled) return { task, turn: null };
  const late = now - slot - plan.delay(slot) > MISSED_AFTER;
  if ((late || task.running) && !plan.catchUp) {
    actions.push({ type: 'pass', task: plan.name, slot });
    return { task: { ...task, settled: slot, retry: null }, turn: null };
  }
  return { task, turn: { slot, attempt: 0, late } };
}

/**
 * Slots settled while the clock was ahead must not keep the task waiting until it is there again. A step back over a single slot is left
 * alone: its run was just made.
 */
function afterClockWentBack(plan: TaskPlan, task: TaskState, now: number, actions: Action[]): TaskState {
  const retry =
    task.retry && task.retry.at - now > task.retry.wait
      ? { ...task.retry, at: now + task.retry.wait }
      : task.retry;
  const coming = plan.timetable.after(now);
  if (coming === null || task.settled <= coming) return retry === task.retry ? task : { ...task, retry };
  actions.push({ type: 'clock-went-back', task: plan.name });
  return { ...task, retry, settled: plan.timetable.upTo(now) ?? now };
}

/** A delay never reaches the next slot, so of two slots the older is due first. */
function newestDue({ timetable, delay }: TaskPlan, now: number): number | null {
  const slot = timetable.upTo(now);
  if (slot === null || slot + delay(slot) <= now) return slot;
  return timetable.upTo(slot - 1);
}

function takeUpRetry(task: TaskState, now: number, takeOrder: () => number): TaskState {
  const { retry, pending, running } = task;
  if (retry === null || retry.at > now || pending || running) return task;
  const { slot, attempt, late } = retry;
  return { ...task, retry: null, pending: { slot, attempt, late, order: takeOrder() } };
}

function startPending(plans: readonly TaskPlan[], tasks: Record<string, TaskState>, actions: Action[]): void {
  const busy = new Set(plans.filter(({ name }) => tasks[name]!.running).map(({ lane }) => lane));
  const waiting = plans.filter(({ name }) => tasks[name]!.pending);
  const orderOf = ({ name }: TaskPlan): number => tasks[name]!.pending!.order;
  for (const { name, lane } of waiting.sort((a, b) => orderOf(a) - orderOf(b))) {
    if (busy.has(lane)) continue;
    busy.add(lane);
    const { slot, attempt, late } = tasks[name]!.pending!;
    tasks[name] = { ...tasks[name]!, pending: null, running: { slot, attempt, late } };
    actions.push({ type: 'start', task: name, slot, attempt, late });
  }
}

function nextTry(
  { retries }: TaskPlan,
  task: TaskState,
  { slot, attempt, late }: Turn,
  ending: Ending,
  now: number,
): TaskState['retry'] {
  // A newer slot waits already, and does for this one.
  if (ending === 'final' || task.pending) return null;
  if (ending === 'stopped') return { slot, attempt, late, at: now, wait: 0 };
  return nextAttempt(retries, { slot, attempt, late }, now);
}

function wakeTime(plans: readonly TaskPlan[], tasks: Record<string, TaskState>): number | null {
  const times = plans.flatMap((plan) => {
    const task = tasks[plan.name]!;
    return [nextDue(plan, task), task.retry?.at ?? null].filter((time) => time !== null);
  });
  return times.length === 0 ? null : Math.min(...times);
}

function nextDue({ timetable, delay }: TaskPlan, { settled }: TaskState): number | null {
  const slot = timetable.after(settled);
  return slot === null ? null : slot + delay(slot);
}

const withTask = (state: AgentState, name: string, task: TaskState): AgentState => ({
  ...state,
  tasks: { ...state.tasks, [name]: task },
});
