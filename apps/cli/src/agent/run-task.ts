import { type Clock, HoldfastError, throwIfAborted } from '@holdfast/contracts';
import { asHoldfastError } from '../output/errors.ts';
import { formatDuration } from '../units/duration.ts';
import type { Turn } from './decide.ts';
import { callHook } from './hooks/call-hook.ts';
import type { HookFacts } from './hooks/hook-facts.ts';
import type { Log } from './log.ts';
import type { PreparedRun, Task, TaskReport } from './task.ts';

export interface RunContext {
  readonly vault: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Fires when nothing more should begin. */
  readonly stopping: AbortSignal;
  /** Fires when what is under way must end. */
  readonly cancelled: AbortSignal;
  /** The run has all that it needs and begins now. */
  readonly onBegan: () => void;
}

export interface TaskRun {
  readonly task: Task;
  readonly turn: Turn;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** What was done, also when it is not all. */
  readonly report: TaskReport | null;
  readonly failure: HoldfastError | null;
  /** It ended because the agent does. */
  readonly stopped: boolean;
}

/** Between two looks whether the vault is free. */
const [SHORTEST_WAIT, LONGEST_WAIT] = [250, 5_000];
/** How often waiting is told of. */
const TELL_AGAIN = 600_000;
/** What does not end so long after it was told to will never end. */
export const STUCK_AFTER = 60_000;

/** One run with its `before` hook. Rejects only when it does not end though it was told to. */
export async function runTask(task: Task, turn: Turn, context: RunContext): Promise<TaskRun> {
  const { clock, stopping, cancelled } = context;
  let startedAt = clock.now();
  const over = (report: TaskReport | null, failure: HoldfastError | null): TaskRun => {
    const stopped =
      failure !== null && (cancelled.aborted || (failure.code === 'CANCELLED' && stopping.aborted));
    return { task, turn, startedAt, endedAt: clock.now(), report, failure, stopped };
  };
  try {
    const prepared = await prepareWhenFree(task, context);
    startedAt = clock.now();
    context.onBegan();
    const facts = hookFacts('before', context.vault, { ...over(null, null), endedAt: null }, null);
    const report = await carriedOut(task, prepared, facts, context);
    return over(report, report.shortfall);
  } catch (error) {
    if (error instanceof StuckError) throw error;
    return over(null, asHoldfastError(error));
  }
}

async function carriedOut(
  task: Task,
  prepared: PreparedRun,
  facts: HookFacts,
  context: RunContext,
): Promise<TaskReport> {
  let ended = true;
  try {
    return await withinTime(task, context, async (signal) => {
      await callHook(task.hooks.before, facts, signal, context.log);
      return prepared.run(signal, context.log);
    });
  } catch (error) {
    ended = !(error instanceof StuckError);
    throw error;
  } finally {
    // What still works with it must not have it closed under its hands: the process ends instead.
    if (ended) await prepared[Symbol.asyncDispose]();
  }
}

/** It was told to end and did not. */
export class StuckError extends HoldfastError {}

/** For hooks after the run; `endedAt` is null before it. */
export function hookFacts(
  event: HookFacts['event'],
  vault: string,
  run: Omit<TaskRun, 'endedAt'> & { readonly endedAt: number | null },
  willRetry: boolean | null,
): HookFacts {
  const { task, turn, startedAt, endedAt, report, failure } = run;
  return {
    event,
    vault,
    task: task.name,
    source: task.source,
    slot: new Date(turn.slot).toISOString(),
    attempt: turn.attempt + 1,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: endedAt === null ? null : new Date(endedAt).toISOString(),
    seconds: endedAt === null ? null : Math.max(0, endedAt - startedAt) / 1000,
    snapshot: report?.snapshot ?? null,
    errorCode: failure?.code ?? null,
    errorMessage: failure?.message ?? null,
    errorHint: failure?.hint ?? null,
    willRetry,
    facts: report?.facts ?? {},
  };
}

async function prepareWhenFree(task: Task, { clock, log, stopping }: RunContext): Promise<PreparedRun> {
  let toldAt = Number.NEGATIVE_INFINITY;
  for (let wait = SHORTEST_WAIT; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
    throwIfAborted(stopping);
    try {
      return await task.prepare(stopping);
    } catch (error) {
      if (!HoldfastError.is(error, 'BUSY')) throw error;
      if (clock.monotonic() - toldAt >= TELL_AGAIN) {
        toldAt = clock.monotonic();
        log({ event: 'run-waiting', message: `waits: ${error.message}`, ...error.details });
      }
    }
    await clock.sleep(wait, { signal: stopping });
  }
}

/** The schedule's time limit, and the end that the agent asks for. */
async function withinTime<T>(
  { name, schedule: { timeout } }: Task,
  { clock, cancelled }: RunContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const [end, over] = [new AbortController(), new AbortController()];
  const late = tooLong(name, timeout ?? 0);
  // A signal of its own, which goes away with the run: the agent's lives for months.
  cancelled.addEventListener('abort', () => end.abort(cancelled.reason), { signal: over.signal });
  if (cancelled.aborted) end.abort(cancelled.reason);
  if (timeout !== undefined) {
    clock.sleep(timeout, { signal: over.signal }).then(
      () => end.abort(late),
      () => {},
    );
  }
  try {
    return await Promise.race([work(end.signal), stuck(name, end.signal, clock, over.signal)]);
  } catch (error) {
    // Whatever part of the work noticed first: what ended it was the time.
    if (end.signal.reason === late && !(error instanceof StuckError)) throw late;
    throw error;
  } finally {
    over.abort();
  }
}

/** Rejects when the work goes on long after its signal fired. */
async function stuck(name: string, signal: AbortSignal, clock: Clock, over: AbortSignal): Promise<never> {
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true, signal: over }));
  }
  await clock.sleep(STUCK_AFTER, { signal: over }).catch(() => new Promise<never>(() => {}));
  throw new StuckError('RUN_TIMEOUT', `${name} was told to end and did not within ${STUCK_AFTER / 1000} s.`, {
    hint: 'The agent ends, and the next one tries again. Report it when it happens again.',
    details: { task: name },
  });
}

const tooLong = (name: string, timeout: number): HoldfastError =>
  new HoldfastError('RUN_TIMEOUT', `${name} took longer than ${formatDuration(timeout)} and was ended.`, {
    hint: 'The next run continues it. Raise the timeout of its schedule if it needs longer.',
    details: { task: name, timeout },
  });
