import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const COMMAND = fileURLToPath(new URL('../bin/holdfast.mjs', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command in a process of its own, without a terminal and with nothing of this one's settings. */
export async function holdfast(
  args: readonly string[],
  options: { env?: Record<string, string>; input?: string; node?: readonly string[]; cwd?: string } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [...(options.node ?? []), COMMAND, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...options.env },
    cwd: options.cwd,
  });
  child.stdin.end(options.input ?? '');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), closed(child)]);
  return { code: child.exitCode, stdout, stderr };
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const piece of stream.setEncoding('utf8')) all += piece;
  return all;
}

const closed = (child: ReturnType<typeof spawn>): Promise<void> =>
  new Promise((resolve) => child.once('close', () => resolve()));
