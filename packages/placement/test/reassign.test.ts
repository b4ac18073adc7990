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

  test('lets former holders count for T windows from when they had it no more, and no longer', () => {
    const day = 86_400_000;
    const request = (until: number | undefined, now: number) => ({
      partition,
      index: 1,
      current: [0, 1, 2, 3].map(peerId),
      pastHolders: [{ index: 0, peer: peerId(4), until }],
      candidates: swarm(5),
      rules,
      salt: salt(1),
      exclude: new Set<PeerId>(),
      now,
    });
    expect(codeOf(() => reassignShard(request(10 * day, 40 * day - 1)))).toBe('PLACEMENT_REFUSED');
    expect(reassignShard(request(10 * day, 40 * day)).peer).toBe(peerId(4));
    // Nobody knows that it is gone: for ever.
    expect(codeOf(() => reassignShard(request(undefined, 4000 * day)))).toBe('PLACEMENT_REFUSED');
    const hours = {
      ...request(10 * day, 12 * day),
      rules: { ...rules, separationWindows: 48, windowHours: 1 },
    };
    expect(reassignShard(hours).peer).toBe(peerId(4));
    expect(codeOf(() => reassignShard({ ...hours, now: 12 * day - 1 }))).toBe('PLACEMENT_REFUSED');
  });

  test('forgets what a former holder’s operator had after T windows, too', () => {
    const day = 86_400_000;
    const candidates = swarm(6, (n) => ({ operator: n >= 4 ? 'late' : `o${n}` }));
    const at = (now: number) => () =>
      reassignShard({
        partition,
        index: 1,
        current: [0, 1, 2, 3].map(peerId),
        pastHolders: [{ index: 0, peer: peerId(4), until: 0 }],
        candidates,
        rules,
        salt: salt(1),
        exclude: new Set(),
        now,
      });
    expect(codeOf(at(30 * day - 1))).toBe('PLACEMENT_REFUSED');
    expect(at(30 * day)().peer).toBeDefined();
  });

  test('keeps siblings apart where the rules say so', () => {
    const siblings = [{ index: 1, peer: peerId(4) }];
    const request = { partition, index: 1, current: [0, 1, 2, 3].map(peerId), pastHolders: [], siblings };
    const more = { candidates: swarm(5), salt: salt(1), exclude: new Set<PeerId>() };
    expect(reassignShard({ ...request, ...more, rules }).peer).toBe(peerId(4));
    const strict = { ...rules, separateSiblings: true };
    expect(codeOf(() => reassignShard({ ...request, ...more, rules: strict }))).toBe('PLACEMENT_REFUSED');
    const gone = { siblings: [{ ...siblings[0]!, until: 0 }], now: 30 * 86_400_000 };
    expect(reassignShard({ ...request, ...more, ...gone, rules: strict }).peer).toBe(peerId(4));
  });

  test('keeps within failure domains, which a peer may have several of', () => {
    const domains = [['a'], ['b'], ['c'], [], ['a', 'x'], ['x']];
    const candidates = swarm(6, (n) => ({ failureDomains: domains[n]! }));
    expect(reassign(candidates, [0, 1, 2, 3], 1).peer).toBe(peerId(5));
    expect(reassign(candidates, [0, 1, 2, 3], 0, { exclude: [5] }).peer).toBe(peerId(4));
    const error = refusalOf(() => reassign(candidates, [0, 1, 2, 3], 1, { exclude: [5] }));
    expect(error.details).toMatchObject({ rule: 'failure-domain-limit' });
    expect(error.message).toContain('share a failure domain (at most 1 shards of a partition in each)');
  });

  test('looks at the average of all round trips, of those that stay too', () => {
    const candidates = swarm(6, (n) => ({ latencyMs: [120, 999, 120, 80, 300, 80][n] }));
    // 120 + 120 + 80 stay: 80 keeps the average at 100, 300 does not.
    expect(reassign(candidates, [0, 1, 2, 3], 1)).toEqual({ peer: peerId(5), relaxations: [] });
    expect(reassign(candidates, [0, 1, 2, 3], 1, { exclude: [5] })).toEqual({
      peer: peerId(4),
      relaxations: [
        {
          rule: 'latency',
          reason: 'too few peers are near enough for 100 ms on average; up to 200 ms was allowed',
        },
      ],
    });
  });

  test('records that one shard alone cannot lie on two continents', () => {
    const { relaxations } = reassign(swarm(5), [null, 1, null, null], 1);
    expect(relaxations.map(({ rule }) => rule)).toEqual(['continent']);
  });

  test('does not take quick round trips for a second continent', () => {
    const candidates = swarm(5, (n) => ({ region: `eu/r${n}/x`, latencyMs: n < 4 ? 1 : undefined }));
    const { peer, relaxations } = reassign(candidates, [0, 1, 2, 3], 3);
    expect(peer).toBe(peerId(4));
    expect(relaxations.map(({ rule }) => rule)).toEqual(['continent']);
  });

  test('gives a further copy to a peer that has none', () => {
    const copies = { ...defaultRules(2, 1), copies: 2 };
    const current = [0, 1, 2, 3, null, 4].map((n) => (n === null ? null : peerId(n)));
    const request = {
      partition,
      current,
      pastHolders: [],
      rules: copies,
      salt: salt(1),
      exclude: new Set<PeerId>(),
    };
    const candidates = swarm(6);
    expect(reassignShard({ ...request, index: 1, candidates }).peer).toBe(peerId(5));
    expect(codeOf(() => reassignShard({ ...request, index: 1, candidates: swarm(5) }))).toBe(
      'PLACEMENT_REFUSED',
    );
  });

  test('relaxes soft rules only', () => {
    const candidates = swarm(5, () => ({ region: 'eu/de/x' }));
    const { relaxations } = reassign(candidates, [0, 1, 2, 3], 3);
    expect(relaxations.map(({ rule }) => rule)).toEqual(['region', 'continent']);
    expect(refusalOf(() => reassign(swarm(4), [0, 1, 2, 3], 3)).details.rule).toBe('one-shard-per-peer');
    expect(codeOf(() => reassign(candidates, [0, 1, 2, 3], 4))).toBe('USAGE');
  });

  test('is looked for beyond the first that is too far away for the average', () => {
    const latency = [90, 90, 90, 90, ...Array.from({ length: 20 }, () => 500), 110];
    const candidates = swarm(25, (n) => ({
      latencyMs: latency[n]!,
      region: `c${n % 3}/r${n}/x`,
      weight: n < 24 ? 1e6 : 1,
    }));
    const { peer, relaxations } = reassign(candidates, [0, 1, 2, 3], 3);
    expect(peer).toBe(peerId(24));
    expect(relaxations).toEqual([]);
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
