import { describe, expect, it } from 'vitest';
import {
  type Action,
  type AgentState,
  began,
  type Ending,
  ended,
  MISSED_AFTER,
  next,
  nextRun,
  type TaskPlan,
} from '../../src/agent/decide.ts';
import type { SchedulePlan } from '../../src/agent/plan.ts';
import { reconfigure, resume } from '../../src/agent/resume.ts';
import { everyInterval } from '../../src/agent/timetable.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const planOf = (name: string, more: Partial<SchedulePlan> = {}): SchedulePlan => ({
  name,
  lane: 'vault',
  timetable: everyInterval(HOUR),
  delay: () => 0,
  catchUp: true,
  retries: { count: 3, wait: MINUTE, longest: 3 * MINUTE },
  schedule: 'hourly',
  ...more,
});

/** The agent by hand: what it is asked at a time, and what it says. */
class Turns {
  readonly plans: readonly TaskPlan[];
  state: AgentState;
  wakeAt: number | null = null;

  constructor(plans: readonly SchedulePlan[], at: number) {
    this.plans = plans;
    this.state = resume(plans, {}, at);
  }

  at(now: number): readonly Action[] {
    const { state, actions, wakeAt } = next(this.plans, this.state, now);
    this.state = state;
    this.wakeAt = wakeAt;
    return actions;
  }

  end(name: string, ending: Ending, now: number): number | null {
    const plan = this.plans.find((one) => one.name === name)!;
    const { state, retryAt } = ended(plan, this.state, ending, now);
    this.state = state;
    return retryAt;
  }
}

const start = (task: string, slot: number, attempt = 0, late = false): Action => ({
  type: 'start',
  task,
  slot,
  attempt,
  late,
});

describe('turns', () => {
  it('begin with the first slot that comes, not with those before', () => {
    const turns = new Turns([planOf('a')], 10.5 * HOUR);
    expect(turns.at(10.5 * HOUR)).toEqual([]);
    expect(turns.wakeAt).toBe(11 * HOUR);
    expect(turns.at(11 * HOUR)).toEqual([start('a', 11 * HOUR)]);
    expect(turns.at(11 * HOUR)).toEqual([]);
  });

  it('come when slot and jitter are over', () => {
    const turns = new Turns([planOf('a', { delay: () => 5 * MINUTE })], 10.5 * HOUR);
    expect(turns.at(11 * HOUR)).toEqual([]);
    expect(turns.wakeAt).toBe(11 * HOUR + 5 * MINUTE);
    expect(turns.at(11 * HOUR + 5 * MINUTE)).toEqual([start('a', 11 * HOUR)]);
  });

  it('are not lost because the next slot has come, whose jitter is not over', () => {
    const turns = new Turns([planOf('a', { delay: () => 5 * MINUTE })], 10.5 * HOUR);
    expect(turns.at(12 * HOUR + MINUTE)).toEqual([start('a', 11 * HOUR, 0, true)]);
    expect(turns.wakeAt).toBe(12 * HOUR + 5 * MINUTE);
  });

  it('go to whoever has waited longest', () => {
    const turns = new Turns([planOf('a'), planOf('b'), planOf('c', { lane: 'other' })], 10.5 * HOUR);
    expect(turns.at(11 * HOUR)).toEqual([start('a', 11 * HOUR), start('c', 11 * HOUR)]);
    // "a" takes so long that it is due again itself; "b" came first.
    expect(turns.at(12 * HOUR)).toEqual([]);
    turns.end('a', 'final', 12.5 * HOUR);
    expect(turns.at(12.5 * HOUR)).toEqual([start('b', 12 * HOUR)]);
    turns.end('b', 'final', 12.6 * HOUR);
    expect(turns.at(12.6 * HOUR)).toEqual([start('a', 12 * HOUR)]);
  });

  it('of slots that a run waited through are one', () => {
    const turns = new Turns([planOf('a')], 10.5 * HOUR);
    turns.at(11 * HOUR);
    turns.at(12 * HOUR);
    turns.state = began(turns.state, 'a');
    turns.end('a', 'final', 12.5 * HOUR);
    expect(turns.at(12.5 * HOUR)).toEqual([]);
    expect(turns.wakeAt).toBe(13 * HOUR);
  });

  it('are told in advance', () => {
    const plan = planOf('a');
    const turns = new Turns([plan], 10.5 * HOUR);
    const known = () => nextRun(plan, turns.state.tasks.a!, 10.5 * HOUR);
    expect(known()).toBe(11 * HOUR);
    turns.at(11 * HOUR);
    expect(known()).toBe(12 * HOUR);
    turns.end('a', 'passing', 11.5 * HOUR);
    expect(known()).toBe(11.5 * HOUR + MINUTE);
  });
});

describe('a failure that may pass', () => {
  it('is tried again after waits that double, up to the longest, and so many times', () => {
    const turns = new Turns([planOf('a')], 10.5 * HOUR);
    turns.at(11 * HOUR);
    let now = 11 * HOUR;
    for (const [attempt, wait] of [MINUTE, 2 * MINUTE, 3 * MINUTE].entries()) {
      expect(turns.end('a', 'passing', now)).toBe(now + wait);
      expect(turns.at(now + wait - 1)).toEqual([]);
      now += wait;
      expect(turns.at(now)).toEqual([start('a', 11 * HOUR, attempt + 1)]);
    }
    expect(turns.end('a', 'passing', now)).toBeNull();
    expect(turns.at(now)).toEqual([]);
    expect(turns.wakeAt).toBe(12 * HOUR);
  });

  it('is done with when a newer slot comes', () => {
    const turns = new Turns([planOf('a', { retries: { count: 3, wait: HOUR, longest: HOUR } })], 10.5 * HOUR);
    turns.at(11 * HOUR);
    turns.end('a', 'passing', 11.5 * HOUR);
    expect(turns.at(12 * HOUR)).toEqual([start('a', 12 * HOUR)]);
    // While it runs, nobody is woken for a try that will not be made.
    expect(turns.at(12.6 * HOUR)).toEqual([]);
    expect(turns.wakeAt).toBe(13 * HOUR);
    turns.end('a', 'final', 12.7 * HOUR);
    expect(turns.at(12.8 * HOUR)).toEqual([]);
  });

  it('is done with when a newer slot waits already', () => {
    const turns = new Turns([planOf('a')], 10.5 * HOUR);
    turns.at(11 * HOUR);
    expect(turns.at(12 * HOUR)).toEqual([]);
    expect(turns.end('a', 'passing', 12.1 * HOUR)).toBeNull();
    expect(turns.at(12.1 * HOUR)).toEqual([start('a', 12 * HOUR)]);
    turns.end('a', 'final', 12.2 * HOUR);
    expect(turns.at(12.5 * HOUR)).toEqual([]);
  });

  it('does not wait longer because the clock went back', () => {
    const turns = new Turns([planOf('a')], 10.5 * HOUR);
    turns.at(11 * HOUR);
    turns.end('a', 'passing', 11 * HOUR);
    turns.at(2 * HOUR);
    expect(turns.at(2 * HOUR + MINUTE)).toEqual([start('a', 11 * HOUR, 1)]);
  });
});

describe('without catching up', () => {
  const plan = planOf('a', { catchUp: false });

  it('what was missed is let pass', () => {
    const turns = new Turns([plan], 10.5 * HOUR);
    const [late, passed] = [11 * HOUR + MISSED_AFTER + 1, { type: 'pass', task: 'a', slot: 11 * HOUR }];
    expect(turns.at(late)).toEqual([passed]);
    expect(turns.at(12 * HOUR + MISSED_AFTER)).toEqual([start('a', 12 * HOUR)]);
  });

  it('what comes while the task itself runs is let pass, but not what waits for others', () => {
    const turns = new Turns([plan, planOf('b', { catchUp: false })], 10.5 * HOUR);
    turns.at(11 * HOUR);
    expect(turns.at(12 * HOUR)).toEqual([{ type: 'pass', task: 'a', slot: 12 * HOUR }]);
    turns.end('a', 'final', 12.5 * HOUR);
    expect(turns.at(12.5 * HOUR)).toEqual([start('b', 12 * HOUR)]);
  });
});

describe('after a restart', () => {
  const saved = (turns: Turns) => ({ a: { ...turns.state.tasks.a!, schedule: 'hourly' } });

  it('a run that was under way is tried again', () => {
    const plan = planOf('a');
    const turns = new Turns([plan], 10.5 * HOUR);
    turns.at(11 * HOUR);
    const now = 11.1 * HOUR;
    turns.state = resume([plan], saved(turns), now);
    expect(turns.at(now)).toEqual([]);
    expect(turns.at(now + MINUTE)).toEqual([start('a', 11 * HOUR, 1)]);
  });

  it('but not for ever: what kills the agent each time must not keep it busy with dying', () => {
    const plan = planOf('a');
    const turns = new Turns([plan], 10.5 * HOUR);
    turns.at(11 * HOUR);
    let [now, runs] = [11 * HOUR, 1];
    for (let death = 0; death < 10; death++) {
      turns.state = resume([plan], saved(turns), now);
      now += 3 * MINUTE;
      runs += turns.at(now).filter(({ type }) => type === 'start').length;
    }
    expect(runs).toBe(4);
  });

  it('a run that was stopped is made at once, as the same try', () => {
    const plan = planOf('a');
    const turns = new Turns([plan], 10.5 * HOUR);
    turns.at(11 * HOUR);
    turns.end('a', 'stopped', 11.1 * HOUR);
    turns.state = resume([plan], saved(turns), 11.2 * HOUR);
    expect(turns.at(11.2 * HOUR)).toEqual([start('a', 11 * HOUR)]);
  });

  it('a run that waited for its turn has it', () => {
    const plans = [planOf('b'), planOf('a')];
    const turns = new Turns(plans, 10.5 * HOUR);
    turns.at(11 * HOUR);
    turns.state = resume([planOf('a')], saved(turns), 11.1 * HOUR);
    expect(turns.at(11.1 * HOUR)).toContainEqual(start('a', 11 * HOUR));
  });

  it('of days, one run makes up for all that was missed', () => {
    const plan = planOf('a');
    const turns = new Turns([plan], 10.5 * HOUR);
    turns.state = resume([plan], saved(turns), 100.5 * HOUR);
    expect(turns.at(100.5 * HOUR)).toEqual([start('a', 100 * HOUR, 0, true)]);
    turns.end('a', 'final', 100.6 * HOUR);
    expect(turns.at(100.6 * HOUR)).toEqual([]);
  });

  it('with another schedule nothing is made up for', () => {
    const plan = planOf('a', { schedule: 'another' });
    const turns = new Turns([plan], 10.5 * HOUR);
    turns.state = resume([plan], saved(turns), 100.5 * HOUR);
    expect(turns.at(100.5 * HOUR)).toEqual([]);
  });
});

describe('with another configuration', () => {
  it('runs go on, new tasks wait for their slot, and changed schedules count from now', () => {
    const before = [planOf('a'), planOf('b')];
    const turns = new Turns(before, 10.5 * HOUR);
    turns.at(11 * HOUR);
    const after = [planOf('a'), planOf('b', { schedule: 'another' }), planOf('c')];
    const { tasks } = reconfigure(after, before, turns.state, 13.5 * HOUR);
    expect(tasks.a!.running).toMatchObject({ slot: 11 * HOUR });
    expect([tasks.a!.settled, tasks.b!.settled, tasks.c!.settled]).toEqual([11 * HOUR, 13 * HOUR, 13 * HOUR]);
  });
});

describe('a clock that goes back', () => {
  it('over one slot does not make its run again', () => {
    const turns = new Turns([planOf('a')], 10.5 * HOUR);
    turns.at(11 * HOUR);
    turns.end('a', 'final', 11 * HOUR + 1);
    expect(turns.at(11 * HOUR - 2000)).toEqual([]);
    expect(turns.at(11 * HOUR)).toEqual([]);
    expect(turns.wakeAt).toBe(12 * HOUR);
  });

  it('by a year is believed, and told of once', () => {
    const turns = new Turns([planOf('a')], 10_000.5 * HOUR);
    turns.at(10_001 * HOUR);
    turns.end('a', 'final', 10_001.1 * HOUR);
    expect(turns.at(10.5 * HOUR)).toEqual([{ type: 'clock-went-back', task: 'a' }]);
    expect(turns.at(10.5 * HOUR)).toEqual([]);
    expect(turns.at(11 * HOUR)).toEqual([start('a', 11 * HOUR)]);
  });
});
