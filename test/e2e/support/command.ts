import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Output } from './output.ts';

const COMMAND = fileURLToPath(new URL('../../../apps/cli/bin/holdfast.mjs', import.meta.url));

export interface CommandOptions {
  readonly vault?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** For standard input; without it there is none. `open`: the test writes to it and ends it. */
  readonly input?: Uint8Array | 'open';
}

export interface Ended {
  /** Null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** What `--json` printed; without members when it is not whole JSON. */
  readonly json: Output;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts the command as a process of its own, as a user would. It dies with this process at the latest. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): Running {
  const { HOLDFAST_VAULT: _, HOLDFAST_PASSPHRASE: __, ...inherited } = process.env;
  const env = {
    ...inherited,
    NO_COLOR: '1',
    ...(options.vault === undefined ? {} : { HOLDFAST_VAULT: options.vault }),
    ...options.environment,
  };
  const child = spawn(process.execPath, [COMMAND, ...args], { env, stdio: 'pipe' });
  running.add(child);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer | string) => stderr.push(Buffer.from(bytes as string)));
  // A process that was killed does not read its input to the end.
  child.stdin.on('error', () => {});
  if (options.input !== 'open') child.stdin.end(options.input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(child);
      const out = Buffer.concat(stdout);
      resolve({ code, signal, stdout: out, stderr: Buffer.concat(stderr).toString(), json: parsed(out) });
    });
  });
  return { child, ended };
}

export const runCommand = (args: readonly string[], options: CommandOptions = {}): Promise<Ended> =>
  startCommand(args, options).ended;

/** For steps that must work: throws with everything that the command said when it exits with another code. */
export async function mustRun(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const ended = await runCommand(args, options);
  if (ended.code === 0) return ended;
  throw new Error(
    `holdfast ${args.join(' ')} exited with ${ended.code ?? ended.signal}:\n${ended.stdout.subarray(0, 4000)}\n${ended.stderr}`,
  );
}

function parsed(bytes: Buffer): Output {
  try {
    return JSON.parse(bytes.toString()) as Output;
  } catch {
    return {} as Output;
  }
}
