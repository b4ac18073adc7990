import type { Colors } from '../../apps/cli/src/output/colors.ts';
import { table } from '../../apps/cli/src/output/table.ts';
import type { Peer } from './swarm.ts';

export type PeerMark = 'well' | 'dead' | 'rotten';

/** A row for each region, its peers side by side: who stands where, and how they fare. */
export function swarmMap(
  peers: readonly Peer[],
  colors: Colors,
  note: (peer: Peer) => { mark: PeerMark; text: string },
): string[] {
  const regions = [...new Set(peers.map((peer) => peer.region))];
  const rows = regions.map((region) => [
    colors.bold(region),
    ...peers
      .filter((peer) => peer.region === region)
      .map((peer) => {
        const { mark, text } = note(peer);
        return `${symbol(mark, colors)} ${peer.name} ${colors.dim(text)}`;
      }),
  ]);
  const widest = Math.max(...rows.map((row) => row.length));
  return table(
    Array.from({ length: widest }, () => ({ title: '' })),
    rows,
  )
    .slice(1)
    .map((row) => `      ${row}`);
}

function symbol(mark: PeerMark, colors: Colors): string {
  if (mark === 'dead') return colors.red('✗');
  return mark === 'rotten' ? colors.yellow('~') : colors.green('●');
}
