import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../apps/cli/bin/holdfast.mjs', import.meta.url));

/** Milliseconds that an interrupted command may take to tidy up. */
const PATIENCE = 15_000;

export class CommandFailed extends Error {
  /** As documented in docs/errors.md; null when the command did not get so far as to print one. */
  readonly code: string | null;

  constructor(args: readonly string[], code: string | null, message: string) {
    super(`holdfast ${args.join(' ')}: ${message}`);
    this.name = 'CommandFailed';
    this.code = code;
  }
}

export interface RunOptions {
  readonly vault?: string;
  readonly signal?: AbortSignal;
  /** Shows the command's progress bar and warnings, which go to standard error. */
  readonly progress: boolean;
}

/** Runs `holdfast ARGS --json` as a process of its own, just as a user would, and returns what it printed. */
export async function holdfast<T>(args: readonly string[], options: RunOptions): Promise<T> {
  const { signal } = options;
  signal?.throwIfAborted();
  const child = spawn(process.execPath, [COMMAND, ...args, '--json'], {
    env: { ...process.env, ...(options.vault ? { HOLDFAST_VAULT: options.vault } : {}) },
    stdio: ['ignore', 'pipe', options.progress ? 'inherit' : 'pipe'],
    // A session of its own: Ctrl-C reaches it through us and once only, since a second one would end it untidily.
    detached: true,
  });
  let [printed, complaints] = ['', ''];
  child.stdout!.setEncoding('utf8').on('data', (text) => {
    printed += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    complaints += text;
  });
  let patience: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const ended = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, by) => resolve(by ?? `exit code ${code}`));
    });
    signal?.throwIfAborted();
    return result<T>(args, ended, printed, complaints);
  } finally {
    signal?.removeEventListener('abort', stop);
    clearTimeout(patience);
  }
}

function result<T>(args: readonly string[], ended: string, printed: string, complaints: string): T {
  let value: { error?: { code: string; message: string; hint?: string } };
  try {
    value = JSON.parse(printed);
  } catch {
    throw new CommandFailed(args, null, `${ended}. ${complaints.trim()}`);
  }
  const { error } = value;
  if (error) throw new CommandFailed(args, error.code, `${error.message} ${error.hint ?? ''}`.trim());
  if (ended !== 'exit code 0') throw new CommandFailed(args, null, ended);
  return value as T;
}
