import type { PeerId } from '@holdfast/contracts';
import { type Candidate, defaultRules, reassignShard, verifyPlacement } from '@holdfast/placement';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidate, codeOf, factsOf, partitionId, peerId, refusalOf, salt, smallSwarm } from './swarm.ts';

const partition = partitionId(1);
const rules = defaultRules(2, 2);

const reassign = (
  candidates: Candidate[],
  current: (number | null)[],
  index: number,
  facts: { past?: [index: number, peer: number][]; exclude?: number[]; k?: number } = {},
) =>
  reassignShard({
    partition,
    index,
    current: current.map((n) => (n === null ? null : peerId(n))),
    pastHolders: (facts.past ?? []).map(([i, n]) => ({ index: i, peer: peerId(n) })),
    candidates,
    rules: facts.k ? defaultRules(facts.k, 2) : rules,
    salt: salt(1),
    exclude: new Set((facts.exclude ?? []).map(peerId)),
  });

const swarm = (count: number, facts: (n: number) => Partial<Candidate> = () => ({})): Candidate[] =>
  Array.from({ length: count }, (_, n) => candidate(n, facts(n)));

describe('another peer for one shard', () => {
  test('is none that holds, held or failed', () => {
    const candidates = swarm(8);
    const { peer } = reassign(candidates, [0, 1, 2, 3], 1, {
      past: [
        [0, 4],
        [2, 5],
      ],
      exclude: [6],
    });
    expect(peer).toBe(peerId(7));
    expect(
      codeOf(() =>
        reassign(candidates, [0, 1, 2, 3], 1, {
          past: [
            [0, 4],
            [2, 5],
          ],
          exclude: [6, 7],
        }),
      ),
    ).toBe('PLACEMENT_REFUSED');
  });

  test('may be one that held the same shard before', () => {
    expect(
      reassign(swarm(5), [0, 1, 2, 3], 1, {
        past: [
          [1, 4],
          [1, 1],
        ],
      }).peer,
    ).toBe(peerId(4));
  });

  test('keeps within the operators’ limit, past holders included, the moved shard’s own aside', () => {
    const candidates = swarm(8, (n) => ({ operator: ['a', 'b', 'c', 'd', 'a', 'b', 'c', 'e'][n]! }));
    // a, b and c each have their one shard already; b could take its own again.
    const taken = (n: number) => reassign(candidates, [0, 1, 2, 3], n).peer;
    expect([peerId(5), peerId(7)]).toContain(taken(1));
    expect(reassign(candidates, [0, 1, 2, 3], 1, { exclude: [7] }).peer).toBe(peerId(5));
    const past: [number, number][] = [[0, 7]];
    expect(codeOf(() => reassign(candidates, [0, 1, 2, 3], 1, { past, exclude: [5] }))).toBe(
      'PLACEMENT_REFUSED',
    );
  });

  test('charges a holder that nobody knows to every operator', () => {
    const candidates = swarm(6, (n) => ({ operator: `o${n}` }));
    expect(codeOf(() => reassign(candidates, [0, 1, 99, null], 3))).toBe('PLACEMENT_REFUSED');
    expect(reassign(candidates, [0, 1, 99, null], 3, { k: 3 }).peer).toBeDefined();
    expect(reassign(candidates, [0, 1, 2, 99], 3).peer).toBeDefined();
  });

  test('relaxes soft rules only', () => {
    const candidates = swarm(5, () => ({ region: 'eu/de/x' }));
    const { relaxations } = reassign(candidates, [0, 1, 2, 3], 3);
    expect(relaxations.map(({ rule }) => rule)).toEqual(['region', 'continent']);
    expect(refusalOf(() => reassign(swarm(4), [0, 1, 2, 3], 3)).details.rule).toBe('one-shard-per-peer');
    expect(codeOf(() => reassign(candidates, [0, 1, 2, 3], 4))).toBe('USAGE');
  });

  test('never breaks a hard rule, and is found whenever one exists', () => {
    const history = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 9 })), { maxLength: 6 });
    let [found, refused] = [0, 0];
    fc.assert(
      fc.property(
        smallSwarm(10),
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        history,
        (peers, order, past) => {
          const candidates = peers.map((peer, n) => ({ ...peer, operator: `o${n % 5}` }));
          const current = [0, 1, 2, 3].map((i) =>
            order[i] === undefined || order[i] >= peers.length ? null : order[i],
          );
          const before = [
            ...current.flatMap((n, index) => (n === null ? [] : [{ index, peer: peerId(n) }])),
            ...past.map(([index, n]) => ({ index, peer: peerId(n) })),
          ];
          const facts = factsOf([
            ...candidates,
            ...swarm(10).filter((peer) => !candidates.some((c) => c.id === peer.id)),
          ]);
          const broken = (holders: { index: number; peer: PeerId }[]) =>
            verifyPlacement({ partition, placed: holders, facts, rules }).filter(
              ({ rule }) => rule !== 'unplaced',
            );
          fc.pre(broken(before).length === 0 && past.every(([, n]) => n < peers.length));
          const possible = candidates.filter(
            (peer) =>
              peer.freeBytes >= rules.shardBytes &&
              peer.id !== (current[1] === null ? null : peerId(current[1]!)) &&
              broken([...before, { index: 1, peer: peer.id }]).length === 0,
          );
          try {
            const { peer } = reassign(candidates, current, 1, { past });
            expect(possible.map(({ id }) => id)).toContain(peer);
            found += 1;
          } catch (error) {
            expect(codeOf(() => reassign(candidates, current, 1, { past }))).toBe('PLACEMENT_REFUSED');
            expect(possible, String(error)).toEqual([]);
            refused += 1;
          }
        },
      ),
      { numRuns: 1500 },
    );
    expect(Math.min(found, refused)).toBeGreaterThan(50);
  });
});
