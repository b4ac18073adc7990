import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Whether `pid` runs and is the peer of `directory`. Process ids are reused, so a number from a file is never enough to
 * send a signal to: the command line must name the directory.
 */
export async function isOurs(pid: number, directory: string): Promise<boolean> {
  const line = process.platform === 'linux' ? await linuxCommandLine(pid) : await commandLine(pid);
  // As a whole argument: .../peers/1 is not .../peers/12.
  return line !== null && ` ${line} `.includes(` ${directory} `);
}

/** Null when there is no such process; a zombie has an empty one. */
async function linuxCommandLine(pid: number): Promise<string | null> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch {
    return null;
  }
}

async function commandLine(pid: number): Promise<string | null> {
  try {
    return (await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)])).stdout;
  } catch {
    return null;
  }
}
