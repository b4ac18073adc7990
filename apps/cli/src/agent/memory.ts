import { HoldfastError } from '@holdfast/contracts';
import { type AgentState, nextRun } from './decide.ts';
import type { Log } from './log.ts';
import type { SchedulePlan } from './plan.ts';
import { newRecord, type TaskRecord, withFailure, withStart, withSuccess } from './record.ts';
import type { TaskRun } from './run-task.ts';
import type { SavedState } from './state-file.ts';

/** What outlives the process: decisions and outcomes, written as one file whenever they change. */
export class Memory {
  readonly #save: (state: SavedState) => Promise<void>;
  readonly #log: Log;
  readonly #seed: string;
  readonly #records: Map<string, TaskRecord>;
  #written = '';
  #writing: Promise<void> = Promise.resolve();
  #failing = false;

  /** @param save makes a state durable as a whole, or leaves the one before it */
  constructor(saved: SavedState, save: (state: SavedState) => Promise<void>, log: Log) {
    this.#save = save;
    this.#log = log;
    this.#seed = saved.seed;
    this.#records = new Map(Object.entries(saved.tasks).map(([name, { record }]) => [name, record]));
  }

  started(task: string, now: number): void {
    this.#records.set(task, withStart(this.#recordOf(task, now), now));
  }

  ended(run: TaskRun, now: number): void {
    const { startedAt, endedAt, report, failure, stopped } = run;
    const { name } = run.task;
    const record = this.#recordOf(name, now);
    if (stopped) return;
    if (failure === null) this.#records.set(name, withSuccess(record, startedAt, endedAt, report!));
    else this.#records.set(name, withFailure(record, startedAt, endedAt, failure));
  }

  /** Of a run that was under way when an earlier agent ended without a word. */
  interrupted(task: string, now: number): void {
    const record = this.#recordOf(task, now);
    const failure = new HoldfastError(
      'CANCELLED',
      'The agent was killed, or the machine went off, while it ran.',
      {
        hint: 'It is tried again by itself. The log of the agent, or of the system, may say why.',
      },
    );
    this.#records.set(task, withFailure(record, record.lastStart ?? now, now, failure));
  }

  /** Resolves when it is on the disk, or a warning was given: backups do not depend on it. */
  keep(plans: readonly SchedulePlan[], state: AgentState, now: number): Promise<void> {
    const saved = this.#savedOf(plans, state, now);
    this.#writing = this.#writing.then(() => this.#write(saved));
    return this.#writing;
  }

  #savedOf(plans: readonly SchedulePlan[], state: AgentState, now: number): SavedState {
    const tasks = plans.flatMap((plan) => {
      const task = state.tasks[plan.name];
      if (!task) return [];
      const record = this.#recordOf(plan.name, now);
      return [
        [plan.name, { schedule: plan.schedule, ...task, next: nextRun(plan, task, now), record }] as const,
      ];
    });
    return { version: 1, seed: this.#seed, tasks: Object.fromEntries(tasks) };
  }

  async #write(saved: SavedState): Promise<void> {
    const text = JSON.stringify(saved);
    if (text === this.#written) return;
    try {
      await this.#save(saved);
      this.#written = text;
      this.#failing = false;
    } catch (error) {
      if (this.#failing) return;
      this.#failing = true;
      const message = HoldfastError.is(error) ? error.message : String(error);
      this.#log({
        event: 'state-not-written',
        level: 'warning',
        message: `its state is not kept: ${message}`,
      });
    }
  }

  #recordOf(task: string, now: number): TaskRecord {
    const known = this.#records.get(task);
    if (known) return known;
    const record = newRecord(now);
    this.#records.set(task, record);
    return record;
  }
}
