import type { PeerId } from '@holdfast/contracts';
import type { Candidate } from '@holdfast/placement';
import fc from 'fast-check';
import { candidate } from '../swarm.ts';
import type { Peer } from './brute-force.ts';

/** `count` peers of an operator each, spread over six regions on three continents. */
export const evenSwarm = (count: number, uptime: number | undefined, from = 0): Candidate[] =>
  Array.from({ length: count }, (_, i) =>
    candidate(from + i, { region: `c${i % 3}/r${i % 6}/site`, uptime }),
  );

/** Few operators and regions, and anything from steady to hardly ever up. */
export const oddSwarm = (least: number, most: number): fc.Arbitrary<Candidate[]> =>
  fc
    .array(
      fc.record({
        operator: fc.integer({ min: 0, max: 7 }),
        region: fc.constantFrom('eu/de/x', 'eu/fr/x', 'na/us/x', 'na/us/y', 'as/jp/x', 'as/in/x'),
        uptime: fc.constantFrom(0.6, 0.9, 0.95, 0.99, 0.999, 0.9999, undefined),
      }),
      { minLength: least, maxLength: most },
    )
    .map((peers) => peers.map((peer, n) => candidate(n, { ...peer, operator: `o${peer.operator}` })));

export const asPeers = (candidates: readonly Candidate[], assumedUptime = 0.95): Peer[] =>
  candidates.map(({ operator, region, uptime }) => ({
    operator,
    region: region.split('/').slice(0, 2).join('/'),
    failure: 1 - (uptime ?? assumedUptime),
  }));

/** Digits that must agree when numbers of any size are compared. */
export const relativeError = (found: number, expected: number): number =>
  found === expected ? 0 : Math.abs(found - expected) / Math.max(Math.abs(found), Math.abs(expected));

export const idsOf = (candidates: readonly Candidate[]): PeerId[] => candidates.map((peer) => peer.id);
