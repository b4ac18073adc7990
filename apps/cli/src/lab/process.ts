import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HoldfastError, throwIfAborted } from '@holdfast/contracts';
import { isOurs } from './process-identity.ts';
import type { LabPeer } from './state.ts';

const COMMAND = fileURLToPath(new URL('../../bin/holdfast.mjs', import.meta.url));
/** A dozen Node processes starting at once on a small machine take their time. */
const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 10_000;
const POLL = 25;

export interface Running {
  readonly pid: number;
  readonly port: number;
}

/**
 * Starts the peer as a process of its own, which outlives this one, and waits until it serves. What it prints goes to
 * `run.json` (one JSON value once it serves) and `peer.log` in its directory.
 */
export async function startPeerProcess(
  peer: LabPeer,
  capacity: string,
  signal: AbortSignal,
): Promise<Running> {
  const [ready, log] = [join(peer.directory, 'run.json'), join(peer.directory, 'peer.log')];
  const [stdout, stderr] = [openSync(ready, 'w', 0o600), openSync(log, 'a', 0o600)];
  const address = `${peer.host}:${peer.port}`;
  const child = spawn(
    process.execPath,
    [
      COMMAND,
      'peer',
      'run',
      '--json',
      '--directory',
      peer.directory,
      '--listen',
      address,
      '--capacity',
      capacity,
    ],
    { detached: true, stdio: ['ignore', stdout, stderr] },
  );
  closeSync(stdout);
  closeSync(stderr);
  let ended: string | null = null;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, by) => {
    ended = by === null ? `exit code ${code}` : by;
  });
  const pid = child.pid;
  try {
    for (const until = performance.now() + START_TIMEOUT; ; await sleep(POLL)) {
      throwIfAborted(signal);
      const port = await announcedPort(ready);
      if (port !== null && pid !== undefined) return { pid, port };
      if (ended !== null || performance.now() > until) throw await startFailure(peer, ended, log, ready);
    }
  } catch (error) {
    if (ended === null) child.kill('SIGKILL');
    throw error;
  } finally {
    child.removeAllListeners();
    child.unref();
  }
}

/** Ends the process if it is still ours; resolves when it is gone. SIGTERM becomes SIGKILL when it is not heeded. */
export async function stopPeerProcess(peer: LabPeer, signal: 'SIGKILL' | 'SIGTERM'): Promise<boolean> {
  if (peer.pid === null || !(await isOurs(peer.pid, peer.directory))) return false;
  process.kill(peer.pid, signal);
  const patience = performance.now() + STOP_TIMEOUT;
  while (await isOurs(peer.pid, peer.directory)) {
    if (performance.now() > patience) process.kill(peer.pid, 'SIGKILL');
    await sleep(POLL);
  }
  return true;
}

export const isRunning = async (peer: LabPeer): Promise<boolean> =>
  peer.pid !== null && (await isOurs(peer.pid, peer.directory));

async function announcedPort(path: string): Promise<number | null> {
  try {
    const announced = JSON.parse(await readFile(path, 'utf8')) as { port?: unknown };
    return typeof announced.port === 'number' ? announced.port : null;
  } catch {
    return null;
  }
}

async function startFailure(
  peer: LabPeer,
  ended: string | null,
  log: string,
  ready: string,
): Promise<HoldfastError> {
  const said = await readFile(ready, 'utf8').catch(() => '');
  const reason = /"message": "((?:[^"\\]|\\.)*)"/.exec(said)?.[1];
  const how = ended === null ? `did not serve within ${START_TIMEOUT / 1000} s` : `ended with ${ended}`;
  return new HoldfastError('PEER_FAILED', `${peer.name} ${how}${reason ? `: ${reason}` : '.'}`, {
    hint: `See ${log}.`,
    details: { peer: peer.number, log },
  });
}
