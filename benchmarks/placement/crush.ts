import type { PeerId } from '@holdfast/contracts';
import { textHash } from './fast-hash.ts';
import type { Placer, Scheme } from './scheme.ts';
import { Straw2Bucket } from './straw2.ts';
import type { BenchPeer } from './swarm.ts';

const bucketOf = (peers: readonly BenchPeer[]): Straw2Bucket =>
  new Straw2Bucket(peers.map(({ id, freeBytes }) => ({ id: textHash(id), weight: freeBytes })));

/** All peers in one bucket. Knows no rule but that peers differ. */
export const crush: Scheme = {
  name: 'crush',
  prepare: (peers, { k, m }): Placer => {
    const bucket = bucketOf(peers);
    const ids = peers.map(({ id }) => id);
    const chosen: number[] = [];
    return {
      place: (partition) => {
        bucket.chooseIndependently(textHash(partition), k + m, chosen);
        return chosen.map((i) => ids[i]!);
      },
    };
  },
};

/**
 * Regions, and peers in them, as CRUSH maps have it: `choose indep` as many regions as it takes, then equally many peers in each, and
 * what is too much left out. With at least k + m regions that is one peer a region.
 */
export const crushHierarchy: Scheme = {
  name: 'crush-hierarchy',
  prepare: (peers, { k, m }): Placer => {
    const need = k + m;
    const regions = [...Map.groupBy(peers, ({ region }) => region)].map(([region, members]) => {
      return { id: textHash(region), bucket: bucketOf(members), ids: members.map(({ id }) => id) };
    });
    const root = new Straw2Bucket(regions.map(({ id, bucket }) => ({ id, weight: bucket.weight })));
    const perRegion = Math.ceil(need / Math.min(need, regions.length));
    const [inRoot, inRegion]: [number[], number[]] = [[], []];
    return {
      place: (partition) => {
        const x = textHash(partition);
        const chosen: PeerId[] = [];
        root.chooseIndependently(x, Math.ceil(need / perRegion), inRoot);
        for (const at of inRoot) {
          const { bucket, ids } = regions[at]!;
          bucket.chooseIndependently(x, perRegion, inRegion);
          for (const i of inRegion) if (chosen.length < need) chosen.push(ids[i]!);
        }
        return chosen;
      },
    };
  },
};
