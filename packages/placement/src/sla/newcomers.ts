import type { PeerId } from '@holdfast/contracts';
import type { Candidate } from '../candidate.ts';
import type { SlaLevel } from './level.ts';
import type { UsablePeers } from './usable-peers.ts';

const ROOM = Number.MAX_SAFE_INTEGER;

/** A region that peers could be added in. */
export interface Site {
  readonly region: string;
  readonly isNew: boolean;
  readonly isNewContinent: boolean;
  readonly peers: number;
}

export const presentRegions = ({ regions }: UsablePeers): Site[] =>
  [...regions].map(([region, peers]) => ({
    region,
    isNew: false,
    isNewContinent: false,
    peers: peers.length,
  }));

/** As many as the level lacks, on new continents as far as it lacks these too, and `extra` more. */
export function newRegions(usable: UsablePeers, level: SlaLevel, extra: number): Site[] {
  const missingContinents = Math.max(0, level.continents - usable.continents);
  const missing = Math.max(0, level.regions - usable.regions.size, missingContinents) + extra;
  const [somewhere = 'new'] = usable.peers.map((peer) => peer.continent);
  const continents = unused('new-continent', new Set(usable.peers.map((peer) => peer.continent)));
  const regions = unused('new-region', new Set(usable.peers.map((peer) => peer.region.split('/')[1] ?? '')));
  return Array.from({ length: missing }, (_, i) => {
    const isNewContinent = i < missingContinents;
    const region = `${isNewContinent ? continents() : somewhere}/${regions()}`;
    return { region, isNew: true, isNewContinent, peers: 0 };
  });
}

/** One after the other where there are fewest. */
export function newcomers(
  count: number,
  sites: readonly Site[],
  uptime: number,
  candidates: readonly Candidate[],
): Candidate[] {
  const ids = unused('hypothetical-peer', new Set<string>(candidates.map((peer) => peer.id)));
  const operators = unused('hypothetical-operator', new Set(candidates.map((peer) => peer.operator)));
  const sizes = sites.map((site) => site.peers);
  return Array.from({ length: count }, () => {
    const at = sizes.indexOf(Math.min(...sizes));
    sizes[at]! += 1;
    return {
      id: ids() as PeerId,
      operator: operators(),
      region: sites[at]!.region,
      freeBytes: ROOM,
      capacityBytes: ROOM,
      uptime,
    };
  });
}

/** Names with numbers, leaving out those that are taken: earlier newcomers may be planned with as if they were there. */
function unused(stem: string, taken: ReadonlySet<string>): () => string {
  let number = 0;
  return () => {
    do number += 1;
    while (taken.has(`${stem}-${number}`));
    return `${stem}-${number}`;
  };
}
