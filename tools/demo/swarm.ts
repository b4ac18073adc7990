import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stopPeerProcess } from '../../apps/cli/src/lab/process.ts';
import { isOurs } from '../../apps/cli/src/lab/process-identity.ts';
import { type LabPeer, loadLab } from '../../apps/cli/src/lab/state.ts';
import { holdfast } from './holdfast-command.ts';

export const PEERS = 12;
export const REGIONS = ['eu/de/berlin', 'eu/fr/paris', 'na/us/nyc', 'as/jp/tokyo'];
export const OPERATORS = 6;

export type Peer = Pick<LabPeer, 'number' | 'id' | 'name' | 'operator' | 'region' | 'directory' | 'pid'>;

export interface Swarm {
  readonly directory: string;
  readonly vault: string;
  readonly peers: readonly Peer[];
}

export async function startSwarm(directory: string, signal: AbortSignal): Promise<Swarm> {
  const args = ['lab', 'up', '--directory', directory, '--peers', String(PEERS), '--capacity', '8GiB'];
  const places = ['--regions', REGIONS.join(','), '--operators', String(OPERATORS)];
  return holdfast<Swarm>([...args, ...places], { signal, progress: false });
}

/** SIGKILL, as a power cut would; the command returns once the processes are gone. */
export async function killPeers(swarm: Swarm, peers: readonly Peer[], signal: AbortSignal): Promise<void> {
  const numbers = peers.map((peer) => String(peer.number));
  await holdfast(['lab', 'kill', ...numbers, '--directory', swarm.directory], { signal, progress: false });
  for (const peer of peers) {
    if (peer.pid !== null && (await isOurs(peer.pid, peer.directory))) {
      throw new Error(`${peer.name} survived SIGKILL.`);
    }
  }
}

/**
 * Ends every peer process and removes all files. In this process and not by `lab down`, so that it also works while the
 * demo is being interrupted. Says what could not be removed; nothing there is fine.
 */
export async function removeSwarm(directory: string): Promise<void> {
  const state = await loadLab(join(directory, 'lab')).catch(() => null);
  await Promise.all((state?.peers ?? []).map((peer) => stopPeerProcess(peer, 'SIGKILL')));
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}
