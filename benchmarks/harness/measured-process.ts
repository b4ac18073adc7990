import { type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { processFacts } from './process-facts.ts';

/** What one process cost, from start to exit. */
export interface Cost {
  /** Wall clock, including the process's start. */
  readonly seconds: number;
  /** User and system time of the process and of those that it waited for. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

export interface Measured extends Cost {
  readonly stdout: string;
}

export interface MeasureOptions extends Pick<SpawnOptions, 'cwd' | 'env'> {
  /** Where standard input comes from: a file descriptor, or a stream with one. Default: nothing. */
  readonly stdin?: number | 'ignore' | 'pipe';
  /** Called with the running process, to feed it or read from it; its standard output is then not collected. */
  readonly attend?: (child: ReturnType<typeof spawn>) => Promise<void>;
}

/** GNU time asks the kernel (wait4) when the process has ended: exact, and nothing runs beside what is measured. */
const GNU_TIME = '/usr/bin/time';
const ACCOUNTS = 'accounts: ';
const POLL_MS = 10;

/**
 * Runs a program and accounts for it. Fails unless it exits with 0. Where GNU time is missing, /proc is polled, which
 * can miss the last few milliseconds of CPU time but not the peak, since the kernel keeps that.
 */
export async function measure(
  command: string,
  args: readonly string[],
  options: MeasureOptions = {},
): Promise<Measured> {
  const timed = existsSync(GNU_TIME);
  const [program, ...rest] = timed
    ? [GNU_TIME, '-f', `${ACCOUNTS}%U %S %M`, command, ...args]
    : [command, ...args];
  const start = performance.now();
  const child = spawn(program!, rest, {
    cwd: options.cwd,
    env: options.env,
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
  });
  const polled = timed ? null : poll(child.pid!);
  const { stdout, stderr } = await finished(child, options, `${command} ${args.join(' ')}`);
  const seconds = (performance.now() - start) / 1000;
  return { stdout, seconds, ...(polled ? polled.stop() : parseAccounts(stderr)) };
}

async function finished(
  child: ReturnType<typeof spawn>,
  options: MeasureOptions,
  shown: string,
): Promise<{ stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  if (!options.attend) {
    child.stdout!.setEncoding('utf8').on('data', (piece) => {
      stdout += piece;
    });
  }
  child.stderr!.setEncoding('utf8').on('data', (piece) => {
    stderr = (stderr + piece).slice(-4000);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${shown} ended with ${signal ?? code}: ${stderr.trim()} ${stdout.trim()}`));
    });
  });
  await Promise.all([ended, options.attend?.(child)]);
  return { stdout, stderr };
}

/** @param stderr ends with the line that GNU time adds. */
function parseAccounts(stderr: string): Pick<Cost, 'cpuSeconds' | 'peakRssBytes'> {
  const line = stderr.slice(stderr.lastIndexOf(ACCOUNTS) + ACCOUNTS.length);
  const [user, system, peakKiB] = line.trim().split(' ').map(Number);
  return { cpuSeconds: user! + system!, peakRssBytes: peakKiB! * 1024 };
}

function poll(pid: number): { stop(): Pick<Cost, 'cpuSeconds' | 'peakRssBytes'> } {
  let last = { cpuSeconds: 0, peakRssBytes: 0 };
  const look = (): void => {
    const facts = processFacts(pid);
    if (facts) last = facts;
  };
  const timer = setInterval(look, POLL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return last;
    },
  };
}
