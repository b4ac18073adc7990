import type { PeerId } from '@holdfast/contracts';
import {
  Assigner,
  assignStripe,
  type Candidate,
  defaultRules,
  type PlacementRules,
  SOFT_RULES,
  type SoftRule,
  verifyPlacement,
  verifySpread,
} from '@holdfast/placement';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bestByBruteForce, rulesGivenUp, stepsGivenUp } from './brute-force.ts';
import {
  candidate,
  codeOf,
  factsOf,
  partitionId,
  refusalOf,
  salt,
  smallSwarm,
  troubledSwarm,
} from './swarm.ts';

const rulesFor = (k: number, m: number, facts: Partial<PlacementRules> = {}): PlacementRules => ({
  ...defaultRules(k, m),
  ...facts,
});

const smallRules = fc
  .record({
    k: fc.integer({ min: 2, max: 3 }),
    m: fc.integer({ min: 0, max: 2 }),
    lower: fc.boolean(),
    maxPerRegion: fc.integer({ min: 1, max: 3 }),
    minContinents: fc.integer({ min: 1, max: 2 }),
    off: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.subarray([...SOFT_RULES])),
  })
  .map(({ k, m, lower, ...soft }) =>
    rulesFor(k, m, { maxPerOperator: lower ? 1 : k - 1, minDistinctPeers: 2, ...soft }),
  );

describe('assigning a stripe', () => {
  test('succeeds exactly when a placement exists, with exactly the relaxations needed', () => {
    let [placed, refused] = [0, 0];
    const relaxed = new Map<SoftRule, number>();
    fc.assert(
      fc.property(troubledSwarm(8), smallRules, fc.nat(), (candidates, rules, seed) => {
        const best = bestByBruteForce(candidates, rules);
        const request = { partition: partitionId(seed), candidates, rules, salt: salt(seed) };
        if (best === null) {
          expect(codeOf(() => assignStripe(request))).toBe('PLACEMENT_REFUSED');
          refused += 1;
          return;
        }
        const plan = assignStripe(request);
        const facts = factsOf(candidates);
        const chosen = plan.peers.map((peer) => facts.get(peer)!);
        expect(stepsGivenUp(chosen, rules)).toEqual(best);
        const given = rulesGivenUp(best);
        expect(plan.relaxations.map(({ rule }) => rule)).toEqual(given);
        placed += 1;
        for (const rule of given) relaxed.set(rule, (relaxed.get(rule) ?? 0) + 1);
      }),
      { numRuns: 5000 },
    );
    // No part of the statement may hold for lack of cases.
    expect(Math.min(placed, refused)).toBeGreaterThan(300);
    for (const rule of SOFT_RULES) expect(relaxed.get(rule), rule).toBeGreaterThan(40);
  });

  test('never breaks a hard rule, and a soft one only as recorded', () => {
    fc.assert(
      fc.property(smallSwarm(30), fc.integer({ min: 2, max: 6 }), fc.nat({ max: 4 }), (candidates, k, m) => {
        const rules = rulesFor(k, m);
        const partition = partitionId(k);
        let plan: ReturnType<typeof assignStripe>;
        try {
          plan = assignStripe({ partition, candidates, rules, salt: salt(m) });
        } catch {
          return;
        }
        const placed = plan.peers.map((peer, index) => ({ peer, index }));
        const facts = factsOf(candidates);
        expect(verifyPlacement({ partition, placed, facts, rules })).toEqual([]);
        const recorded = plan.relaxations.map(({ rule }) => rule as string);
        for (const { rule } of verifySpread({ placed, facts, rules })) expect(recorded).toContain(rule);
      }),
      { numRuns: 1500 },
    );
  });

  test('finds the way out where a plain walk would be stuck', () => {
    // Operator x has peers in both regions, y only in the first: x must go to the second, however it is preferred.
    const candidates = [
      candidate(1, { operator: 'x', region: 'eu/de' }),
      candidate(2, { operator: 'x', region: 'na/us' }),
      candidate(3, { operator: 'y', region: 'eu/de' }),
    ];
    const rules = rulesFor(2, 0, { maxPerRegion: 1, minDistinctPeers: 2 });
    for (let seed = 0; seed < 50; seed++) {
      const plan = assignStripe({ partition: partitionId(seed), candidates, rules, salt: salt(seed) });
      expect(new Set(plan.peers)).toEqual(new Set([candidates[1]!.id, candidates[2]!.id]));
      expect(plan.relaxations).toEqual([]);
    }
  });

  test('is the same whatever the order of the candidates, and differs by partition and salt', () => {
    const candidates = Array.from({ length: 60 }, (_, n) => candidate(n));
    const rules = defaultRules(4, 2);
    const plan = assignStripe({ partition: partitionId(1), candidates, rules, salt: salt(1) });
    const again = assignStripe({
      partition: partitionId(1),
      candidates: [...candidates].reverse(),
      rules,
      salt: salt(1),
    });
    expect(again).toEqual(plan);
    const other = assignStripe({ partition: partitionId(2), candidates, rules, salt: salt(1) });
    expect(other.peers).not.toEqual(plan.peers);
    expect(assignStripe({ partition: partitionId(1), candidates, rules, salt: salt(2) }).peers).not.toEqual(
      plan.peers,
    );
  });

  test('gives up soft rules in order and no more than needed', () => {
    const rules = defaultRules(4, 2);
    const assign = (facts: (n: number) => Partial<Candidate>, count = 12) => {
      const candidates = Array.from({ length: count }, (_, n) => candidate(n, facts(n)));
      return assignStripe({ partition: partitionId(1), candidates, rules, salt: salt(1) }).relaxations;
    };
    const [region, ...none] = assign((n) => ({ region: n < 4 ? 'eu/de/x' : `na/us/${n}` }), 5 + 1);
    expect(none).toEqual([]);
    expect(region).toEqual({
      rule: 'region',
      reason: 'too few regions for at most 3 shards in each; up to 4 share a region',
    });
    expect(assign((n) => ({ region: `eu/r${n}` })).map(({ rule }) => rule)).toEqual(['continent']);
    // Spread is given up before load is.
    const crowded = assign((n) => ({
      region: n < 6 ? 'eu/de' : 'na/us',
      freeBytes: n < 6 ? 2 ** 30 : 2 ** 28,
    }));
    expect(crowded.map(({ rule }) => rule)).toEqual(['region', 'continent']);
    const full = assign((n) => ({ region: `c${n % 2}/r${n}`, freeBytes: n < 5 ? 2 ** 30 : 2 ** 28 }));
    expect(full).toEqual([
      { rule: 'load', reason: 'too few peers stay within 70 % of their capacity; up to 90 % was allowed' },
    ]);
  });
});

describe('siblings', () => {
  test('share no peer where the rules separate them, and may where they do not', () => {
    const candidates = Array.from({ length: 13 }, (_, n) => candidate(n));
    const holders = (peers: readonly PeerId[]) => peers.map((peer, index) => ({ peer, index }));
    for (let seed = 0; seed < 50; seed++) {
      const request = { candidates, salt: salt(seed) };
      const rules = defaultRules(4, 2);
      const first = assignStripe({ ...request, rules, partition: partitionId(2 * seed) }).peers;
      const strict = { ...rules, separateSiblings: true };
      const sibling = { ...request, partition: partitionId(2 * seed + 1), siblings: holders(first) };
      const { peers } = assignStripe({ ...sibling, rules: strict });
      expect(peers.filter((peer) => first.includes(peer))).toEqual([]);
      expect(assignStripe({ ...sibling, rules }).peers.some((peer) => first.includes(peer))).toBe(true);
    }
  });

  test('are barred for one partition without changing what others get', () => {
    const candidates = Array.from({ length: 7 }, (_, n) =>
      candidate(n, { region: n < 6 ? `c${n % 2}/r${n}` : 'c0/r0' }),
    );
    const assigner = new Assigner({ candidates, rules: defaultRules(4, 2), salt: salt(1) });
    const before = assigner.assign(partitionId(1));
    for (let n = 0; n < 7; n++) {
      const barred = new Set([candidates[n]!.id]);
      expect(assigner.assign(partitionId(2), { barred }).peers).not.toContain(candidates[n]!.id);
      const two = new Set([candidates[n]!.id, candidates[(n + 1) % 7]!.id]);
      expect(codeOf(() => assigner.assign(partitionId(2), { barred: two }))).toBe('PLACEMENT_REFUSED');
      expect(assigner.assign(partitionId(1))).toEqual(before);
    }
  });
});

test('what one partition’s barred peers made necessary is not in force for the next', () => {
  const candidates = Array.from({ length: 7 }, (_, n) =>
    candidate(n, { region: n < 6 ? `eu/r${n}` : 'na/us' }),
  );
  const assigner = new Assigner({ candidates, rules: defaultRules(4, 2), salt: salt(1) });
  const barred = new Set([candidates[6]!.id]);
  for (let p = 0; p < 4; p++) {
    const without = assigner.assign(partitionId(p), { barred });
    expect(without.relaxations.map(({ rule }) => rule)).toEqual(['continent']);
    const plan = assigner.assign(partitionId(p));
    expect(plan.relaxations).toEqual([]);
    expect(plan.peers).toContain(candidates[6]!.id);
  }
});

test('looks further where those first in line are mostly of no use', () => {
  const candidates = Array.from({ length: 400 }, (_, n) =>
    candidate(n, { region: n < 380 ? 'eu/de' : `na/r${n}` }),
  );
  const assigner = new Assigner({ candidates, rules: defaultRules(10, 4), salt: salt(1) });
  for (let p = 0; p < 20; p++)
    expect(assigner.assign(partitionId(p))).toMatchObject({ attempts: 1, relaxations: [] });
});

describe('refusals say what would help', () => {
  const refusal = (candidates: Candidate[], rules = defaultRules(4, 2)) =>
    refusalOf(() => assignStripe({ partition: partitionId(1), candidates, rules, salt: salt(1) }));

  test('more peers', () => {
    const error = refusal(Array.from({ length: 4 }, (_, n) => candidate(n)));
    expect(error.message).toContain('6 shards to place on as many different peers, but only 4 can take one');
    expect(error.hint).toContain('2 more peers');
    expect(error.details).toMatchObject({ rule: 'one-shard-per-peer', need: 6, usable: 4, morePeers: 2 });
  });

  test('more room', () => {
    const error = refusal(Array.from({ length: 8 }, (_, n) => candidate(n, n < 3 ? { freeBytes: 100 } : {})));
    expect(error.message).toContain('3 more without room for a shard');
    expect(error.details).toMatchObject({ rule: 'room', morePeers: 1 });
  });

  test('more operators', () => {
    const error = refusal(
      Array.from({ length: 20 }, (_, n) => candidate(n, { operator: 'one' })),
      rulesFor(4, 8),
    );
    expect(error.message).toContain('at most 3 of a partition each');
    expect(error.hint).toContain('3 more operators');
    expect(error.details).toMatchObject({
      rule: 'operator-limit',
      placeable: 3,
      moreOperators: 3,
      morePeers: 9,
    });
  });

  test('better reputations', () => {
    const error = refusal(
      Array.from({ length: 8 }, (_, n) => candidate(n, { reputation: n < 5 ? 0.9 : 0.49 })),
    );
    expect(error.message).toContain('only 5 can take one (3 more with a reputation below 0.5)');
    expect(error.details).toMatchObject({ rule: 'reputation-floor', morePeers: 1 });
  });

  test('other failure domains', () => {
    const error = refusal(Array.from({ length: 9 }, (_, n) => candidate(n, { failureDomains: ['all'] })));
    expect(error.hint).toContain('outside the declared failure domains');
    expect(error.details).toMatchObject({ rule: 'failure-domain-limit', limit: 3 });
  });

  test('after a bounded search, where failure domains make a puzzle that has no answer', () => {
    // Each peer is in two of 20 domains, one shard may be in each: at most 10 of the 12 shards, in countless ways.
    const candidates = Array.from({ length: 60 }, (_, n) =>
      candidate(n, { failureDomains: [`d${n % 20}`, `d${(n * 7 + Math.floor(n / 20) + 1) % 20}`] }),
    );
    const error = refusal(candidates, rulesFor(2, 10));
    expect(error.details).toMatchObject({ rule: 'failure-domain-limit', need: 12 });
  });

  test('and following the hint does help', () => {
    fc.assert(
      fc.property(smallSwarm(8), smallRules, fc.nat(), (candidates, rules, seed) => {
        const request = { partition: partitionId(seed), rules, salt: salt(seed) };
        let help: Readonly<Record<string, unknown>>;
        try {
          assignStripe({ ...request, candidates });
          return;
        } catch {
          help = refusalOf(() => assignStripe({ ...request, candidates })).details;
        }
        const operators =
          typeof help.moreOperators === 'number' ? help.moreOperators : Number(help.morePeers);
        const more = Array.from({ length: Number(help.morePeers) }, (_, n) =>
          candidate(100 + n, { operator: `new-${n % operators}` }),
        );
        const outcome = () => assignStripe({ ...request, candidates: [...candidates, ...more] });
        // Peers alone may not do where operators are short as well; then the next refusal says so.
        if (help.rule === 'operator-limit') expect(outcome().peers.length).toBe(rules.k + rules.m);
        else if (codeOf(outcome) !== null) expect(refusalOf(outcome).details.rule).toBe('operator-limit');
      }),
      { numRuns: 500 },
    );
  });
});

describe('bad input is named', () => {
  const assign = (candidates: Candidate[], rules: PlacementRules) => () =>
    assignStripe({ partition: partitionId(1), candidates, rules, salt: salt(1) });
  const peers = Array.from({ length: 8 }, (_, n) => candidate(n));

  test.each([
    ['k', { k: 1, maxPerOperator: 1 }],
    ['m', { m: -1 }],
    ['m', { m: 300 }],
    ['maxPerOperator', { maxPerOperator: 4 }],
    ['maxPerOperator', { maxPerOperator: 0 }],
    ['shardBytes', { shardBytes: Number.NaN }],
    ['maxPerRegion', { maxPerRegion: 0 }],
    ['minContinents', { minContinents: 7 }],
    ['maxLoad', { maxLoad: 1.5 }],
    ['headroomShards', { headroomShards: 0.5 }],
    ['copies', { copies: 0 }],
    ['maxPerFailureDomain', { maxPerFailureDomain: 4 }],
    ['minDistinctPeers', { minDistinctPeers: 7 }],
    ['separationWindows', { separationWindows: -1 }],
    ['windowHours', { windowHours: Number.POSITIVE_INFINITY }],
    ['maxLatencyMs', { maxLatencyMs: 0 }],
    ['maxPacketLoss', { maxPacketLoss: 1.01 }],
    ['minReputation', { minReputation: Number.NaN }],
    ['reputationFloor', { reputationFloor: 0.8 }],
    ['off', { off: ['operator-limit' as never] }],
  ] as const)('rules: %s %o', (field, facts) => {
    const error = refusalOf(assign(peers, rulesFor(4, 2, facts)));
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain(field);
  });

  test.each([
    ['freeBytes', { freeBytes: -1 }],
    ['freeBytes', { freeBytes: Number.NaN }],
    ['capacityBytes', { capacityBytes: Number.POSITIVE_INFINITY }],
    ['capacityBytes', { capacityBytes: 1 }],
    ['weight', { weight: Number.NaN }],
    ['latencyMs', { latencyMs: -1 }],
    ['packetLoss', { packetLoss: 1.5 }],
    ['reputation', { reputation: Number.NaN }],
    ['stability', { stability: -0.1 }],
    ['uptime', { uptime: Number.POSITIVE_INFINITY }],
    ['region', { region: '' }],
    ['region', { region: '/de/berlin' }],
    ['region', { region: 'eu//berlin' }],
    ['operator', { operator: '' }],
  ] as const)('candidates: %s %o', (field, facts) => {
    const error = refusalOf(assign([...peers, candidate(99, facts)], defaultRules(4, 2)));
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain(field);
  });

  test('candidates: a peer listed twice', () => {
    expect(codeOf(assign([...peers, peers[0]!], defaultRules(4, 2)))).toBe('USAGE');
  });
});
