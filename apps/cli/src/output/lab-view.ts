import { isRunning } from '../lab/process.ts';
import type { LabState } from '../lab/state.ts';
import type { Colors } from './colors.ts';
import { table } from './table.ts';

export type LabShown = Awaited<ReturnType<typeof labJson>>;

export async function labJson(directory: string, state: LabState) {
  const peers = await Promise.all(
    state.peers.map(async (peer) => ({ ...peer, running: await isRunning(peer) })),
  );
  return { directory, vault: state.vault, running: peers.filter((peer) => peer.running).length, peers };
}

export function labTable(lab: LabShown, colors: Colors): string[] {
  return table(
    [
      { title: '#', align: 'right' },
      { title: 'PEER' },
      { title: 'STATE' },
      { title: 'PID', align: 'right' },
      { title: 'PORT', align: 'right' },
      { title: 'OPERATOR' },
      { title: 'REGION' },
    ],
    lab.peers.map((peer) => [
      String(peer.number),
      colors.bold(peer.name),
      peer.running ? colors.green('runs') : peer.pid === null ? colors.yellow('stopped') : colors.red('died'),
      peer.running ? String(peer.pid) : '',
      String(peer.port),
      peer.operator,
      peer.region,
    ]),
  );
}
