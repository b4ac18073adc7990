import { expect } from 'vitest';
import { type AgentState, type Ending, ended, next, type TaskPlan } from '../../src/agent/decide.ts';
import { resume } from '../../src/agent/resume.ts';

export interface Step {
  /** Real milliseconds that pass. */
  readonly wait: number;
  /** What the wall clock is then put forward or back by. */
  readonly jump: number;
  /** The process is killed and started again after that. */
  readonly restart: boolean;
}

export interface Run {
  readonly task: string;
  readonly lane: string;
  readonly slot: number;
  readonly late: boolean;
  readonly takes: number;
  /** In real time, counted from the start's wall clock. */
  readonly from: number;
  to: number;
}

interface Outcome {
  readonly takes: number;
  readonly ending: string;
}

/** As the agent does: it asks again at the latest after so long. */
const POLL = 300_000;

/** The agent's loop in simulated time: asks for decisions, lets runs take their time, moves the clock. */
export class Simulation {
  readonly runs: Run[] = [];
  /** Wall clock times between jumps. */
  readonly stretches: { from: number; to: number }[];
  readonly #plans: readonly (TaskPlan & { schedule: string })[];
  readonly #outcomes: Iterator<Outcome>;
  #state: AgentState;
  #real: number;
  #offset = 0;
  #underWay = new Map<string, { run: Run; ending: Ending }>();

  constructor(plans: readonly TaskPlan[], start: number, outcomes: Iterable<Outcome>) {
    this.#plans = plans.map((plan) => ({ ...plan, schedule: 'always the same' }));
    this.#outcomes = outcomes[Symbol.iterator]();
    this.#real = start;
    this.stretches = [{ from: start, to: start }];
    this.#state = resume(this.#plans, {}, start);
    this.#decide();
  }

  get wall(): number {
    return this.#real + this.#offset;
  }

  walk(steps: readonly Step[]): void {
    for (const { wait, jump, restart } of steps) {
      this.#pass(wait);
      if (jump !== 0) {
        this.#offset += jump;
        this.stretches.push({ from: this.wall, to: this.wall });
      }
      if (restart) this.#restart();
      this.#decide();
    }
  }

  /** All that is due by now was ordered, superseded or let pass, and the decision stands. */
  expectDecided(): void {
    const again = next(this.#plans, this.#state, this.wall);
    expect(again.actions).toEqual([]);
    expect(again.state).toEqual(this.#state);
    for (const { name, timetable, delay } of this.#plans) {
      const slot = timetable.upTo(this.wall);
      if (slot !== null && slot + delay(slot) <= this.wall) {
        expect(this.#state.tasks[name]!.settled).toBeGreaterThanOrEqual(slot);
      }
    }
    if (again.wakeAt !== null) expect(again.wakeAt).toBeGreaterThan(this.wall);
  }

  #pass(wait: number): void {
    const end = this.#real + wait;
    while (this.#real < end) {
      const endings = [...this.#underWay.values()].map(({ run }) => run.to);
      const wake = this.#wakeAt === null ? end : this.#wakeAt - this.#offset;
      this.#real = Math.max(this.#real, Math.min(end, this.#real + POLL, wake, ...endings));
      this.stretches.at(-1)!.to = this.wall;
      this.#finish();
      this.#decide();
    }
  }

  #wakeAt: number | null = null;

  #decide(): void {
    for (let again = true; again; again = this.#finish()) {
      const { state, actions, wakeAt } = next(this.#plans, this.#state, this.wall);
      this.#state = state;
      this.#wakeAt = wakeAt;
      for (const action of actions)
        if (action.type === 'start') this.#start(action.task, action.slot, action.late);
    }
  }

  #start(task: string, slot: number, late: boolean): void {
    const { takes, ending } = this.#outcomes.next().value as Outcome;
    const { lane } = this.#plans.find((plan) => plan.name === task)!;
    const run = { task, lane, slot, late, takes, from: this.#real, to: this.#real + takes };
    expect(this.#underWay.has(task)).toBe(false);
    this.runs.push(run);
    this.#underWay.set(task, { run, ending: ending as Ending });
  }

  /** Whether any run was over. */
  #finish(): boolean {
    let any = false;
    for (const [task, { run, ending }] of this.#underWay) {
      if (run.to > this.#real) continue;
      any = true;
      this.#underWay.delete(task);
      const plan = this.#plans.find(({ name }) => name === task)!;
      this.#state = ended(plan, this.#state, ending, this.wall).state;
    }
    return any;
  }

  #restart(): void {
    for (const { run } of this.#underWay.values()) run.to = this.#real;
    this.#underWay.clear();
    const saved = Object.fromEntries(
      Object.entries(this.#state.tasks).map(([name, task]) => [
        name,
        { ...task, schedule: 'always the same' },
      ]),
    );
    this.#state = resume(this.#plans, structuredClone(saved), this.wall);
  }
}
