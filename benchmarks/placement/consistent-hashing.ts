import type { PeerId } from '@holdfast/contracts';
import { mix, textHash } from './fast-hash.ts';
import type { Placer, Scheme } from './scheme.ts';
import type { BenchPeer } from './swarm.ts';

const POINTS_PER_UNIT = 150;

/**
 * Karger et al., "Consistent Hashing and Random Trees" (STOC 1997): each peer has points on a ring, in proportion to its weight, and a
 * partition goes to the first different peers that follow its own point. Knows no rule but that peers differ.
 */
export const consistentHashing: Scheme = {
  name: 'consistent-hashing',
  prepare: (peers, { k, m }, unitWeight): Placer => {
    const need = k + m;
    const ids = peers.map(({ id }) => id);
    const { positions, owners } = ring(peers, unitWeight);
    const chosen: number[] = [];
    return {
      place: (partition): PeerId[] => {
        chosen.length = 0;
        const start = firstAtLeast(positions, mix(textHash(partition), 0, 1));
        for (let i = 0; chosen.length < need; i++) {
          const owner = owners[(start + i) % owners.length]!;
          if (!chosen.includes(owner)) chosen.push(owner);
          if (i > owners.length) throw new Error(`The ring has no ${need} different peers.`);
        }
        return chosen.map((owner) => ids[owner]!);
      },
    };
  },
};

function ring(peers: readonly BenchPeer[], unitWeight: number) {
  const counts = peers.map(({ freeBytes }) =>
    Math.max(1, Math.round((POINTS_PER_UNIT * freeBytes) / unitWeight)),
  );
  // Position and owner in one number (below 2⁵³ for up to two million peers), which typed arrays sort much faster than indices by a comparison.
  const points = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (const [owner, { id }] of peers.entries()) {
    const seed = textHash(id);
    for (let i = 0; i < counts[owner]!; i++) points[at++] = mix(seed, i, 2) * peers.length + owner;
  }
  points.sort();
  return {
    positions: Uint32Array.from(points, (point) => Math.floor(point / peers.length)),
    owners: Uint32Array.from(points, (point) => point % peers.length),
  };
}

/** Index of the first position that is not below; their number if there is none. */
function firstAtLeast(positions: Uint32Array, wanted: number): number {
  let [low, high] = [0, positions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
