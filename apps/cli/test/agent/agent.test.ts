import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '@holdfast/contracts';
import { systemRandom } from '@holdfast/crypto';
import { MemoryClock } from '@holdfast/testing/memory-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Agent } from '../../src/agent/agent.ts';
import type { LogEvent } from '../../src/agent/log.ts';
import { STUCK_AFTER } from '../../src/agent/run-task.ts';
import { freshState, type SavedState } from '../../src/agent/state-file.ts';
import { plainTask, type Task } from '../../src/agent/task.ts';
import type { HooksConfig } from '../../src/config/hook-schema.ts';
import { scheduleSchema } from '../../src/config/schedule-schema.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.end());

interface TaskFacts {
  readonly lane?: string;
  readonly hooks?: HooksConfig;
  readonly schedule?: object;
  /** In the clock's milliseconds. */
  readonly takes?: number;
  readonly work?: (signal: AbortSignal) => Promise<void>;
}

/** An agent whose clock does what the test says. */
class Stage {
  readonly clock = new MemoryClock(Date.UTC(2026, 10, 20, 10, 30));
  readonly events: LogEvent[] = [];
  readonly stop = new AbortController();
  agent!: Agent;
  saved!: SavedState;
  /** While it is pending, so is whatever is being written. */
  disk: Promise<void> = Promise.resolve();
  running: Promise<void> = Promise.resolve();

  task(name: string, { lane = 'vault', hooks = {}, schedule, takes = 0, work }: TaskFacts = {}): Task {
    return plainTask({
      name,
      lane,
      hooks,
      source: null,
      schedule: scheduleSchema.parse({ every: '1h', jitter: '0s', ...schedule }),
      run: async (signal) => {
        await this.clock.sleep(takes, { signal });
        await work?.(signal);
        return { summary: 'done' };
      },
    });
  }

  start(tasks: readonly Task[], saved: SavedState = freshState(systemRandom)): void {
    const log = (event: LogEvent): void => void this.events.push(event);
    this.agent = new Agent({
      vault: '/vault',
      clock: this.clock,
      log,
      tasks,
      saved,
      save: async (state) => {
        const written = structuredClone(state);
        await this.disk;
        this.saved = written;
      },
      grace: MINUTE,
    });
    this.running = this.agent.run(this.stop.signal);
    this.running.catch(() => {});
  }

  /** In small steps: what is asked for meanwhile is seen to. */
  async pass(milliseconds: number, step = MINUTE): Promise<void> {
    for (let left = milliseconds; left > 0; left -= step) {
      await this.clock.advance(Math.min(step, left));
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** `begun a`, `done a`, `failed a` in their order, since the last call. */
  told(): string[] {
    const words: Record<string, string> = {
      'run-started': 'begun',
      'run-succeeded': 'done',
      'run-failed': 'failed',
      'run-stopped': 'stopped',
    };
    const lines = this.events.flatMap(({ event, task }) => (words[event] ? [`${words[event]} ${task}`] : []));
    this.events.length = 0;
    return lines;
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.pass(2 * MINUTE + STUCK_AFTER);
    await this.running.catch(() => {});
  }
}

describe('the agent', () => {
  it('runs tasks of one lane in turn, and those of another beside them', async () => {
    stage.start([
      stage.task('a', { takes: 10 * MINUTE }),
      stage.task('b', { takes: 10 * MINUTE }),
      stage.task('c', { takes: 5 * MINUTE, lane: 'other' }),
    ]);
    await stage.pass(HOUR);
    expect(stage.told()).toEqual(['begun a', 'begun c', 'done c', 'done a', 'begun b', 'done b']);
  });

  it('makes one run when the machine has slept for days', async () => {
    stage.start([stage.task('a')]);
    await stage.pass(HOUR);
    expect(stage.told()).toEqual(['begun a', 'done a']);
    stage.clock.jump(3 * DAY);
    // The sleeping timer knows nothing of it; it is noticed all the same.
    await stage.pass(MINUTE);
    expect(stage.told()).toEqual(['begun a', 'done a']);
    await stage.pass(HOUR);
    expect(stage.told()).toEqual(['begun a', 'done a']);
  });

  it('goes on by the clock that goes back', async () => {
    stage.start([stage.task('a')]);
    await stage.pass(HOUR);
    stage.told();
    stage.clock.jump(-3 * DAY);
    await stage.pass(HOUR);
    expect(stage.events.filter(({ event }) => event === 'clock-went-back')).toHaveLength(1);
    expect(stage.told()).toEqual(['begun a', 'done a']);
  });

  it('tries again what may pass, and not what will not', async () => {
    const failing = (code: 'PEER_TIMEOUT' | 'KEY_WRONG') => async () => {
      throw new HoldfastError(code, 'It does not work.');
    };
    const retries = { count: 2, wait: '2m', longest: '10m' };
    stage.start([
      stage.task('a', { work: failing('PEER_TIMEOUT'), schedule: { retries } }),
      stage.task('b', { work: failing('KEY_WRONG'), schedule: { retries }, lane: 'other' }),
    ]);
    await stage.pass(50 * MINUTE);
    const told = stage.told();
    expect(told.filter((line) => line === 'failed a')).toHaveLength(3);
    expect(told.filter((line) => line === 'failed b')).toHaveLength(1);
    const { a, b } = stage.saved.tasks;
    expect([a!.record.failures, b!.record.failures]).toEqual([3, 1]);
  });

  it('judges a run without its hooks, and tells of theirs', async () => {
    const success = { run: 'echo out of order; exit 1', timeout: MINUTE, environment: [] };
    stage.start([stage.task('a', { hooks: { success } })]);
    await stage.pass(HOUR);
    // The hook is a real process and takes real time.
    while (!stage.events.some(({ event }) => event === 'hook-failed')) await sleep(10);
    expect(stage.events.map(({ event }) => event)).toEqual([
      'run-started',
      'run-succeeded',
      'hook-output',
      'hook-failed',
    ]);
    expect(stage.saved.tasks.a!.record).toMatchObject({ failures: 0 });
  });

  it('has written down how a run went before hooks are called', async () => {
    const success = { run: 'sleep 100', timeout: HOUR, environment: [] };
    stage.start([stage.task('a', { hooks: { success } }), stage.task('b', { lane: 'other', takes: MINUTE })]);
    await stage.pass(35 * MINUTE);
    // The hook goes on meanwhile, and the file has been written for the other task since.
    expect(stage.told()).toContain('done b');
    expect(stage.saved.tasks.a).toMatchObject({
      running: null,
      record: { lastSuccess: expect.anything() },
    });
  });

  it('lets a task that is no longer configured end, and never begins it again', async () => {
    stage.start([stage.task('a', { takes: 90 * MINUTE }), stage.task('b')]);
    await stage.pass(70 * MINUTE);
    expect(stage.told()).toEqual(['begun a']);
    stage.agent.reload([stage.task('b')], MINUTE);
    await stage.pass(3 * HOUR);
    const told = stage.told();
    expect(told.filter((line) => line.endsWith(' a'))).toEqual(['done a']);
    expect(told.filter((line) => line === 'done b').length).toBeGreaterThanOrEqual(3);
    expect(Object.keys(stage.saved.tasks)).toEqual(['b']);
  });

  it('never runs a task beside itself when it comes back into the configuration meanwhile', async () => {
    const task = stage.task('a', { takes: 90 * MINUTE });
    stage.start([task]);
    await stage.pass(40 * MINUTE);
    stage.agent.reload([], MINUTE);
    await stage.pass(MINUTE);
    stage.agent.reload([task], MINUTE);
    await stage.pass(4 * HOUR);
    const told = stage.told();
    expect(told.slice(0, 5)).toEqual(['begun a', 'done a', 'begun a', 'done a', 'begun a']);
  });

  it('takes a configuration that comes while its state is being written', async () => {
    stage.start([stage.task('a'), stage.task('b', { lane: 'other' })]);
    await stage.pass(29 * MINUTE);
    const slow = Promise.withResolvers<void>();
    stage.disk = slow.promise;
    await stage.pass(2 * MINUTE);
    stage.agent.reload([stage.task('b', { lane: 'other' })], MINUTE);
    slow.resolve();
    await stage.pass(2 * HOUR);
    const told = stage.told();
    expect(told.filter((line) => line === 'done b')).toHaveLength(3);
    expect(told.filter((line) => line === 'done a')).toHaveLength(1);
    expect(Object.keys(stage.saved.tasks)).toEqual(['b']);
  });

  it('waits at its end also for a run that began while the one before it was being written down', async () => {
    stage.start([stage.task('a', { takes: 59 * MINUTE })]);
    await stage.pass(88 * MINUTE);
    const slow = Promise.withResolvers<void>();
    stage.disk = slow.promise;
    await stage.pass(4 * MINUTE);
    slow.resolve();
    await stage.pass(5 * MINUTE);
    expect(stage.told()).toEqual(['begun a', 'done a', 'begun a']);
    stage.stop.abort();
    await stage.pass(2 * MINUTE, 1000);
    await stage.running;
    expect(stage.told()).toEqual(['stopped a']);
  });

  it('when it stops, lets a run go on for the grace, then cancels it, and remembers to make it', async () => {
    stage.start([stage.task('a', { takes: 30 * MINUTE })]);
    await stage.pass(40 * MINUTE);
    stage.stop.abort();
    await stage.pass(30_000, 1000);
    expect(stage.told()).toEqual(['begun a']);
    await stage.pass(31_000, 1000);
    await stage.running;
    expect(stage.told()).toEqual(['stopped a']);
    const state = stage.saved;
    expect(state.tasks.a).toMatchObject({ running: null, retry: { attempt: 0 }, record: { failures: 0 } });

    stage = Object.assign(new Stage(), { clock: stage.clock });
    stage.start([stage.task('a')], state);
    await stage.pass(1000, 1000);
    expect(stage.told()).toEqual(['begun a', 'done a']);
  });

  it('gives up itself when a run does not end', async () => {
    stage.start([stage.task('a', { work: () => new Promise(() => {}), schedule: { timeout: '5m' } })]);
    await stage.pass(40 * MINUTE);
    await expect(stage.running).rejects.toMatchObject({ code: 'RUN_TIMEOUT' });
    const state = stage.saved;
    expect(state.tasks.a!.running).not.toBeNull();
    // And so the next one knows.
    stage = Object.assign(new Stage(), { clock: stage.clock });
    stage.start([stage.task('a')], state);
    expect(stage.events).toMatchObject([{ event: 'run-interrupted', task: 'a' }]);
  });
});
