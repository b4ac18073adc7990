import { type Clock, HoldfastError } from '@holdfast/contracts';
import { asHoldfastError, errorJson, stackLines } from '../output/errors.ts';
import { formatDuration } from '../units/duration.ts';
import { type Action, type AgentState, began, type Ending, ended, next } from './decide.ts';
import { callHook } from './hooks/call-hook.ts';
import type { Log } from './log.ts';
import { Memory } from './memory.ts';
import { mayPass } from './passing-failures.ts';
import { planOf, type SchedulePlan } from './plan.ts';
import { reconfigure, resume } from './resume.ts';
import { hookFacts, runTask, type TaskRun } from './run-task.ts';
import type { SavedState } from './state-file.ts';
import type { Task } from './task.ts';

export interface AgentOptions {
  readonly vault: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly tasks: readonly Task[];
  /** What an earlier agent wrote down, or a fresh state. */
  readonly saved: SavedState;
  /** Makes a state durable as a whole, or leaves the one before it. */
  readonly save: (state: SavedState) => Promise<void>;
  /** Milliseconds that a run may go on once the agent is told to stop. */
  readonly grace: number;
}

type Start = Extract<Action, { type: 'start' }>;

/** The clock may jump, and the machine sleep, without a timer noticing: it is looked at this often. */
const LOOK_AGAIN = 30_000;

/** Carries out what `next` decides, and keeps what happened. */
export class Agent {
  readonly #vault: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #seed: Uint8Array;
  readonly #memory: Memory;
  readonly #running = new Map<string, Promise<void>>();
  /** Runs that are over but for their hooks. */
  readonly #over = new Map<string, TaskRun>();
  readonly #cancel = new AbortController();
  readonly #stop = new AbortController();
  #tasks: ReadonlyMap<string, Task>;
  #plans: readonly SchedulePlan[];
  #state: AgentState;
  #grace: number;
  #wake = new AbortController();

  constructor({ vault, clock, log, tasks, saved, save, grace }: AgentOptions) {
    this.#vault = vault;
    this.#clock = clock;
    this.#log = log;
    this.#grace = grace;
    this.#seed = Buffer.from(saved.seed, 'hex');
    this.#memory = new Memory(saved, save, log);
    this.#tasks = byName(tasks);
    this.#plans = tasks.map((task) => planOf(task, this.#seed));
    this.#state = resume(this.#plans, saved.tasks, clock.now());
    this.#noteInterrupted(saved);
  }

  /** Until the signal fires and all runs have ended. Rejects when a run does not end though it was told to. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#stop.abort(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    const failed = new Promise<never>((_, reject) => {
      this.#failed = reject;
    });
    await Promise.race([this.#loop(), failed]);
    await Promise.race([this.#windDown(), failed]);
  }

  #failed: (error: unknown) => void = () => {};

  /** With another configuration from now on; runs under way end as they began. */
  reload(tasks: readonly Task[], grace: number): void {
    const plans = tasks.map((task) => planOf(task, this.#seed));
    const leaving = this.#plans.filter(
      ({ name }) => this.#running.has(name) && !tasks.some((task) => task.name === name),
    );
    const all = [...plans, ...leaving.map(withoutSlots)];
    this.#state = reconfigure(all, this.#plans, this.#state, this.#clock.now());
    this.#plans = all;
    this.#tasks = byName(tasks);
    this.#grace = grace;
    this.#wake.abort();
  }

  #noteInterrupted(saved: SavedState): void {
    for (const { name } of this.#plans) {
      if (!saved.tasks[name]?.running) continue;
      this.#memory.interrupted(name, this.#clock.now());
      const message = 'was under way when the agent before this one ended; it is tried again';
      this.#logOf(name)({ event: 'run-interrupted', level: 'warning', message });
    }
  }

  async #loop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      const now = this.#clock.now();
      const { state, actions, wakeAt } = next(this.#plans, this.#state, now);
      this.#state = state;
      // Nothing may come between deciding and beginning: another configuration, or the end.
      for (const action of actions) this.#carryOut(action);
      await this.#keep();
      const wait = Math.max(
        0,
        Math.min(LOOK_AGAIN, (wakeAt ?? Number.POSITIVE_INFINITY) - this.#clock.now()),
      );
      const signal = AbortSignal.any([this.#wake.signal, this.#stop.signal]);
      await this.#clock.sleep(wait, { signal }).catch(() => {});
    }
  }

  #carryOut(action: Action): void {
    const log = this.#logOf(action.task);
    switch (action.type) {
      case 'start':
        this.#start(action);
        break;
      case 'pass':
        log({
          event: 'run-passed',
          slot: iso(action.slot),
          message: `no run for ${iso(action.slot)}: it was missed, or came while another ran, and catchUp is off`,
        });
        break;
      case 'clock-went-back':
        log({
          event: 'clock-went-back',
          level: 'warning',
          message: 'the clock went back; the schedule goes on from what it says now',
        });
    }
  }

  #start(turn: Start): void {
    const task = this.#tasks.get(turn.task)!;
    const done = this.#runOnce(task, turn)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        // By now the next run of the task may have begun.
        if (this.#running.get(turn.task) === done) this.#running.delete(turn.task);
        this.#wake.abort();
      });
    this.#running.set(turn.task, done);
  }

  async #runOnce(task: Task, turn: Start): Promise<void> {
    const log = this.#logOf(task.name);
    // That it runs is on the disk before it does: should it kill the agent, the next one knows.
    await this.#keep();
    const run = await runTask(task, turn, {
      vault: this.#vault,
      clock: this.#clock,
      log,
      stopping: this.#stop.signal,
      cancelled: this.#cancel.signal,
      onBegan: () => {
        this.#state = began(this.#state, task.name);
        this.#memory.started(task.name, this.#clock.now());
        void this.#keep();
        const what =
          turn.attempt > 0 ? ` (try ${turn.attempt + 1})` : turn.late ? ' (makes up for a missed one)' : '';
        log({
          event: 'run-started',
          slot: iso(turn.slot),
          attempt: turn.attempt + 1,
          message: `begins${what}`,
        });
      },
    });
    await this.#settle(run, log);
  }

  /** The outcome is written down before hooks are called: they are not what a run is judged by. */
  async #settle(run: TaskRun, log: Log): Promise<void> {
    const { task } = run;
    const after = this.#ended(run);
    this.#memory.ended(run, this.#clock.now());
    this.#over.set(task.name, run);
    await this.#keep();
    this.#tell(run, after.retryAt, log);
    if (!run.stopped) await this.#callHook(run, after.retryAt !== null, log);
    // Anew: while hooks ran, other tasks went on.
    this.#over.delete(task.name);
    this.#state = this.#ended(run).state;
    if (!this.#tasks.has(task.name)) this.#plans = this.#plans.filter(({ name }) => name !== task.name);
  }

  #ended(run: TaskRun, state = this.#state): ReturnType<typeof ended> {
    const plan = this.#plans.find(({ name }) => name === run.task.name)!;
    return ended(plan, state, endingOf(run), run.endedAt);
  }

  #tell({ failure, report, stopped, turn }: TaskRun, retryAt: number | null, log: Log): void {
    const slot = iso(turn.slot);
    if (failure === null) {
      const { summary, snapshot, facts } = report!;
      log({ event: 'run-succeeded', slot, snapshot, facts, message: summary });
    } else if (stopped) {
      log({ event: 'run-stopped', slot, message: 'stopped with the agent; the next one continues it' });
    } else {
      const again = retryAt === null ? '' : ` Next try ${iso(retryAt)}.`;
      const hint = failure.hint ? ` ${failure.hint}` : '';
      log({
        event: 'run-failed',
        level: 'error',
        slot,
        retryAt: retryAt === null ? null : iso(retryAt),
        snapshot: report?.snapshot ?? null,
        ...errorJson(failure),
        message: `${failure.message} [${failure.code}]${hint}${again}`,
      });
      if (process.env.HOLDFAST_DEBUG) log({ event: 'run-debug', message: stackLines(failure).join('\n') });
    }
  }

  async #callHook(run: TaskRun, willRetry: boolean, log: Log): Promise<void> {
    const event = run.failure === null ? 'success' : 'failure';
    const facts = hookFacts(event, this.#vault, run, run.failure === null ? null : willRetry);
    try {
      await callHook(run.task.hooks[event], facts, this.#cancel.signal, log);
    } catch (error) {
      const failure = asHoldfastError(error);
      log({
        event: 'hook-failed',
        level: 'warning',
        hook: event,
        ...errorJson(failure),
        message: failure.message,
      });
    }
  }

  async #windDown(): Promise<void> {
    const running = [...this.#running.keys()];
    if (running.length > 0) {
      const within = formatDuration(this.#grace);
      this.#log({
        event: 'agent-stopping',
        running,
        message: `stops; ${running.join(', ')} may finish within ${within}`,
      });
    }
    const timer = new AbortController();
    this.#clock
      .sleep(this.#grace, { signal: timer.signal })
      .then(() => this.#cancel.abort(new HoldfastError('CANCELLED', 'The agent was told to stop.')))
      .catch(() => {});
    await Promise.all(this.#running.values());
    timer.abort();
    await this.#keep();
  }

  /** As it would be found by the next agent, should this one die now. */
  #keep(): Promise<void> {
    let state = this.#state;
    for (const run of this.#over.values()) state = this.#ended(run, state).state;
    return this.#memory.keep(this.#plans, state, this.#clock.now());
  }

  #logOf(task: string): Log {
    return (event) => this.#log({ task, ...event });
  }
}

function endingOf({ failure, stopped }: TaskRun): Ending {
  if (failure === null) return 'final';
  if (stopped) return 'stopped';
  return mayPass(failure) ? 'passing' : 'final';
}

const byName = (tasks: readonly Task[]): Map<string, Task> => new Map(tasks.map((task) => [task.name, task]));

/** For a task that is no longer configured: it ends what it runs. */
const withoutSlots = (plan: SchedulePlan): SchedulePlan => ({
  ...plan,
  timetable: { after: () => null, upTo: () => null },
  retries: { ...plan.retries, count: 0 },
});

const iso = (moment: number): string => new Date(moment).toISOString();
