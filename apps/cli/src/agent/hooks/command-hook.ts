import { type ChildProcess, spawn } from 'node:child_process';
import { HoldfastError } from '@holdfast/contracts';
import { formatDuration } from '../../units/duration.ts';
import { type HookFacts, hookEnvironment } from './hook-facts.ts';

export interface CommandHook {
  /** Arguments, run as they are; or a text for the shell. */
  readonly run: string | readonly string[];
  /** Milliseconds. */
  readonly timeout: number;
  /** Names of variables of the agent's environment that it gets as well. */
  readonly environment: readonly string[];
}

/** More is not worth a log's space; the rest is read and dropped, lest the hook block. */
const MOST_OUTPUT = 64 * 1024;
const LINGER = 1000;

/**
 * Runs the command with facts on its standard input and in its environment, and gives what it prints, line by line, to `tell`.
 * HOOK_FAILED unless it ends with 0 in time; when the time is over, or the signal fires, it dies with all that it started.
 */
export async function callCommand(
  hook: CommandHook,
  facts: HookFacts,
  signal: AbortSignal,
  tell: (line: string) => void,
): Promise<void> {
  const [program, ...args] = typeof hook.run === 'string' ? ['/bin/sh', '-c', hook.run] : hook.run;
  const env = hookEnvironment(facts, hook.environment, process.env);
  // In a process group of its own, so that it can be ended with its children.
  const child = spawn(program!, args, { env, stdio: 'pipe', detached: true });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(hook.timeout)]);
  const end = (): void => killGroup(child);
  limit.addEventListener('abort', end, { once: true });
  if (limit.aborted) end();
  tellLines(child.stdout, tell);
  tellLines(child.stderr, tell);
  child.stdin.on('error', () => {});
  child.stdin.end(`${JSON.stringify(facts)}\n`);
  try {
    const how = await ending(child);
    if (limit.aborted) throw stopped(hook, facts, signal);
    if (how !== null) throw failed(facts, `${how}.`, program!);
  } finally {
    limit.removeEventListener('abort', end);
  }
}

/** Null when it did what it should. */
function ending(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be run: ${error.message}`));
    child.once('close', (code, by) => resolve(code === 0 ? null : (by ?? `exit code ${code}`)));
    // What it left running in the background may keep its outputs open for ever.
    child.once('exit', () => setTimeout(() => closeOutputs(child), LINGER).unref());
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of the group have ended meanwhile.
  }
  closeOutputs(child);
}

function closeOutputs(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function tellLines(stream: NodeJS.ReadableStream, tell: (line: string) => void): void {
  let [rest, told] = ['', 0];
  stream.setEncoding('utf8').on('data', (piece: string) => {
    if (told >= MOST_OUTPUT) return;
    told += piece.length;
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line.trim() !== '') tell(line);
    if (told >= MOST_OUTPUT) tell('… and more, which is left out');
  });
  stream.once('end', () => {
    if (rest.trim() !== '' && told < MOST_OUTPUT) tell(rest);
  });
}

function stopped(hook: CommandHook, facts: HookFacts, signal: AbortSignal): HoldfastError {
  if (signal.aborted) return failed(facts, 'was stopped with the run.', '');
  return failed(facts, `took longer than ${formatDuration(hook.timeout)} and was ended.`, '');
}

const failed = (facts: HookFacts, how: string, program: string): HoldfastError =>
  new HoldfastError(
    'HOOK_FAILED',
    `The ${facts.event} hook of ${facts.task}${program && ` (${program})`}: ${how}`,
    {
      hint: "What it printed is in the agent's log.",
      details: { task: facts.task, hook: facts.event },
    },
  );
