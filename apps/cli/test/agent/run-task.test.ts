import { HoldfastError } from '@holdfast/contracts';
import { MemoryClock } from '@holdfast/testing/memory-clock';
import { describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src/agent/log.ts';
import { mayPass } from '../../src/agent/passing-failures.ts';
import { runTask, STUCK_AFTER, StuckError, type TaskRun } from '../../src/agent/run-task.ts';
import type { Task, TaskReport } from '../../src/agent/task.ts';
import type { HooksConfig } from '../../src/config/hook-schema.ts';
import { scheduleSchema } from '../../src/config/schedule-schema.ts';

const REPORT: TaskReport = { summary: 'done', snapshot: null, facts: {}, shortfall: null };
const TURN = { slot: 0, attempt: 0, late: false };
const MINUTE = 60_000;

interface Scene {
  readonly schedule?: object;
  readonly hooks?: HooksConfig;
  /** So often the vault is busy first. */
  readonly busy?: number;
  readonly work?: (signal: AbortSignal) => Promise<TaskReport>;
}

function begin({ schedule = { every: '1h' }, hooks = {}, busy = 0, work = async () => REPORT }: Scene) {
  const clock = new MemoryClock();
  const [stopping, cancelled] = [new AbortController(), new AbortController()];
  const events: LogEvent[] = [];
  const seen = { asked: 0, began: 0, ran: 0, disposed: 0 };
  const task: Task = {
    name: 'backup:app',
    lane: 'vault',
    schedule: scheduleSchema.parse(schedule),
    hooks,
    source: 'app',
    async prepare() {
      if (seen.asked++ < busy) throw new HoldfastError('BUSY', 'The vault is in use by process 7.');
      return {
        run(signal) {
          seen.ran++;
          return work(signal);
        },
        async [Symbol.asyncDispose]() {
          seen.disposed++;
        },
      };
    },
  };
  const running = runTask(task, TURN, {
    vault: '/vault',
    clock,
    log: (event) => events.push(event),
    stopping: stopping.signal,
    cancelled: cancelled.signal,
    onBegan: () => seen.began++,
  });
  // Looked at later.
  running.catch(() => {});
  return { clock, stopping, cancelled, events, seen, running };
}

/** As well-behaved work does. */
const untilAborted = (signal: AbortSignal): Promise<TaskReport> =>
  new Promise((_, reject) => {
    const stop = (): void => reject(new HoldfastError('CANCELLED', 'Stopped before the end.'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });

const codeOf = ({ failure }: TaskRun): string | undefined => failure?.code;

describe('a run', () => {
  it('gives its report, and lets go of what it had', async () => {
    const { running, seen } = begin({});
    expect(await running).toMatchObject({ report: REPORT, failure: null, stopped: false });
    expect(seen).toEqual({ asked: 1, began: 1, ran: 1, disposed: 1 });
  });

  it('of which something is missing has failed, and is reported all the same', async () => {
    const shortfall = new HoldfastError('INCOMPLETE', 'Parts could not be read.');
    const { running } = begin({ work: async () => ({ ...REPORT, snapshot: 'abc', shortfall }) });
    expect(await running).toMatchObject({ report: { snapshot: 'abc' }, failure: { code: 'INCOMPLETE' } });
  });

  it('waits for a vault that another process holds, and begins once it is free', async () => {
    const { running, seen, clock, events } = begin({ busy: 200 });
    await clock.advance(12 * MINUTE);
    expect(seen).toMatchObject({ began: 0, ran: 0 });
    expect(events.map(({ event }) => event)).toEqual(['run-waiting', 'run-waiting']);
    await clock.advance(6 * MINUTE);
    expect(codeOf(await running)).toBeUndefined();
    expect(seen).toEqual({ asked: 201, began: 1, ran: 1, disposed: 1 });
  });

  it('does not count waiting as its own time', async () => {
    const { running, clock } = begin({ busy: 100, schedule: { every: '1h', timeout: '10s' } });
    await clock.advance(10 * MINUTE);
    expect(codeOf(await running)).toBeUndefined();
  });

  it('that waits ends when the agent is told to stop, which is no failure', async () => {
    const { running, stopping, clock, seen } = begin({ busy: 1000 });
    await clock.advance(MINUTE);
    stopping.abort();
    expect(await running).toMatchObject({ stopped: true, failure: { code: 'CANCELLED' } });
    expect(seen.began).toBe(0);
  });

  it('goes on when the agent is told to stop, until it is cancelled', async () => {
    const { running, stopping, cancelled, clock, seen } = begin({ work: untilAborted });
    await clock.advance(1);
    stopping.abort();
    await clock.advance(MINUTE);
    expect(seen).toMatchObject({ ran: 1, disposed: 0 });
    cancelled.abort();
    expect(await running).toMatchObject({ stopped: true });
    expect(seen.disposed).toBe(1);
  });

  it('that takes too long is ended, whatever it says then', async () => {
    const { running, clock, seen } = begin({ schedule: { every: '1h', timeout: '10m' }, work: untilAborted });
    await clock.advance(10 * MINUTE - 1);
    expect(seen.disposed).toBe(0);
    await clock.advance(1);
    expect(await running).toMatchObject({ stopped: false, report: null, failure: { code: 'RUN_TIMEOUT' } });
    expect(seen.disposed).toBe(1);
    expect(clock.sleepers).toBe(0);
  });

  it('that does not end when it is told to is given up, with what it holds left to it', async () => {
    const deaf = () => new Promise<TaskReport>(() => {});
    const { running, clock, seen } = begin({ schedule: { every: '1h', timeout: '10m' }, work: deaf });
    await clock.advance(10 * MINUTE + STUCK_AFTER);
    await expect(running).rejects.toThrow(StuckError);
    expect(seen.disposed).toBe(0);
  });

  it('leaves no timer behind', async () => {
    const { running, clock } = begin({ schedule: { every: '1h', timeout: '10m' } });
    await running;
    expect(clock.sleepers).toBe(0);
  });

  it('is not made when its before hook fails', async () => {
    const before = { run: 'exit 1', timeout: 60_000, environment: [] };
    const { running, seen } = begin({ hooks: { before } });
    const { failure } = await running;
    expect(failure).toMatchObject({ code: 'HOOK_FAILED' });
    expect(seen).toMatchObject({ began: 1, ran: 0, disposed: 1 });
  });

  it('turns what nobody foresaw into a bug of ours', async () => {
    const work = async () => {
      throw new TypeError('x is not a function');
    };
    expect(codeOf(await begin({ work }).running)).toBe('INTERNAL');
  });
});

describe('another try', () => {
  it.each(['SOURCE_UNREADABLE', 'PEER_UNREACHABLE', 'TOO_FEW_SHARDS', 'RUN_TIMEOUT', 'HOOK_FAILED'] as const)(
    'is worth it after %s',
    (code) => expect(mayPass(new HoldfastError(code, ''))).toBe(true),
  );

  it.each([
    'CONFIG_INVALID',
    'KEY_WRONG',
    'KEY_MISSING',
    'CATALOG_CORRUPT',
    'INCOMPLETE',
    'INTERNAL',
  ] as const)('is not after %s', (code) => expect(mayPass(new HoldfastError(code, ''))).toBe(false));
});
