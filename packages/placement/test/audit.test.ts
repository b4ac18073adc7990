import type { PeerId } from '@holdfast/contracts';
import {
  auditPlacement,
  defaultRules,
  type PeerFact,
  type PlacedHolder,
  type PlacementRules,
  type RecordedPlacement,
  SOFT_RULES,
  type SoftRule,
  verifyPlacement,
} from '@holdfast/placement';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { breaches } from './restated-rules.ts';
import { codeOf, partitionId, peerId, refusalOf } from './swarm.ts';

const MiB = 2 ** 20;
const NOW = 1_800_000_000_000;
const SPAN = 30 * 24 * 3_600_000;
const partition = partitionId(1);

const share = (...borders: number[]) =>
  fc.option(fc.oneof(fc.constantFrom(...borders), fc.double({ min: 0, max: 1, noNaN: true })), {
    nil: undefined,
  });

/** Few operators, regions and failure domains, and any mixture of facts, borders included. */
const fact: fc.Arbitrary<PeerFact> = fc
  .record({
    operator: fc.nat({ max: 12 }).map((n) => `o${n}`),
    region: fc.constantFrom('eu/de/x', 'eu/de/y', 'eu/fr', 'na/us/x', 'as', 'eu'),
    failureDomains: fc.option(fc.subarray(['d1', 'd2', 'd3']), { nil: undefined }),
    latencyMs: fc.option(fc.constantFrom(5, 80, 100, 120, 900), { nil: undefined }),
    packetLoss: share(0, 0.01, 0.05, 1),
    reputation: share(0.5, 0.7, 0.9, 1),
    room: fc.option(fc.tuple(fc.constantFrom(0, 0.5, 1, 2, 3, 30, 70), fc.constantFrom(0, 1, 30)), {
      nil: undefined,
    }),
    member: fc.constantFrom(undefined, true, true, true, false),
    certificate: fc.option(
      fc.record({
        validFrom: fc.constantFrom(0, 0, NOW, NOW + 1),
        validUntil: fc.constantFrom(NOW + 9, NOW + 9, NOW, NOW - 1),
        revokedAt: fc.constantFrom(undefined, undefined, NOW, NOW + 1),
      }),
      { nil: undefined },
    ),
  })
  .map(({ room, ...rest }) =>
    room ? { ...rest, freeBytes: room[0] * MiB, capacityBytes: (room[0] + room[1]) * MiB } : rest,
  );

const until = fc.constantFrom(undefined, undefined, NOW - 5, NOW - SPAN, NOW - SPAN + 1, NOW - 2 * SPAN);

const record: fc.Arbitrary<RecordedPlacement> = fc
  .tuple(
    fc.array(fact, { minLength: 3, maxLength: 200, size: 'max' }),
    fc.record({
      k: fc.integer({ min: 2, max: 10 }),
      m: fc.nat({ max: 4 }),
      copies: fc.constantFrom(1, 1, 2),
      maxPerOperator: fc.integer({ min: 1, max: 12 }),
      maxPerFailureDomain: fc.integer({ min: 1, max: 12 }),
      minDistinctPeers: fc.integer({ min: 1, max: 6 }),
      maxPerRegion: fc.integer({ min: 1, max: 4 }),
      minContinents: fc.integer({ min: 1, max: 3 }),
      separateSiblings: fc.boolean(),
      off: fc.subarray([...SOFT_RULES]),
    }),
    fc.array(fc.nat(), { minLength: 28, maxLength: 28 }),
    fc.array(
      fc.record({ index: fc.nat({ max: 14 }), peer: fc.nat({ max: 210 }), until, past: fc.boolean() }),
      {
        maxLength: 12,
      },
    ),
    fc.option(fc.array(fc.record({ index: fc.nat({ max: 5 }), peer: fc.nat({ max: 20 }), until })), {
      nil: undefined,
    }),
    fc.subarray([...SOFT_RULES]),
    fc.nat({ max: 3 }),
  )
  .map(([facts, settings, picks, more, siblings, relaxed, missing]) => {
    const rules = { ...defaultRules(settings.k, settings.m), ...settings };
    const placed: PlacedHolder[] = [];
    for (let at = missing; at < (rules.k + rules.m) * rules.copies; at++) {
      // Mostly one after the other, so that many placements are nearly right.
      const peer = picks[at]! % 8 === 0 ? picks[at]! % facts.length : at;
      placed.push({ index: at % (rules.k + rules.m), peer: peerId(peer) });
    }
    return {
      partition,
      placed: [...placed, ...more.map((holder) => ({ ...holder, peer: peerId(holder.peer) }))],
      facts: new Map(facts.map((each, n) => [peerId(n), each])),
      rules,
      siblings: siblings?.map((holding) => ({ ...holding, peer: peerId(holding.peer) })),
      relaxations: relaxed.map((rule) => ({ rule, reason: 'because' })),
      now: NOW,
    };
  });

const number = (value: number | null, rule: string) =>
  rule === 'latency' ? value!.toFixed(6) : String(value);

describe('the audit of a placement', () => {
  test('finds exactly what the rules say, restated one by one', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(record, (placement) => {
        const { violations, relaxed } = auditPlacement(placement);
        const found = [
          ...violations.map(({ rule, softRule, measured, limit }) => {
            const name = softRule === undefined ? rule : `soft ${softRule}`;
            return `${name} ${number(measured, softRule ?? '')} ${limit}`;
          }),
          ...relaxed.map(({ rule, measured, limit }) => `soft ${rule} ${number(measured, rule)} ${limit}`),
        ];
        expect(found.sort()).toEqual(breaches(placement));
        const recorded = placement.relaxations.map(({ rule }) => rule);
        for (const { rule, softRule, severity } of violations) {
          expect(severity).toBe(softRule === undefined ? 'hard' : 'soft');
          expect(rule === 'unrecorded-relaxation').toBe(softRule !== undefined);
          if (softRule !== undefined) expect(recorded).not.toContain(softRule);
          seen.set(softRule ?? rule, (seen.get(softRule ?? rule) ?? 0) + 1);
        }
        for (const { rule } of relaxed) expect(recorded).toContain(rule);
      }),
      { numRuns: 700, seed: 3 },
    );
    // 13 hard rules and 6 soft ones, none of which may be right for want of cases.
    expect(seen.size).toBe(19);
    expect(Math.min(...seen.values())).toBeGreaterThan(20);
  });

  test('lists what is not recorded instead of passing over it', () => {
    fc.assert(
      fc.property(record, (placement) => {
        const { unchecked } = auditPlacement(placement);
        const { facts, rules, placed, siblings } = placement;
        const isPresent = ({ past, until: end }: PlacedHolder) => !past && end === undefined;
        const without = (field: keyof PeerFact, all = false) => {
          const peers = placed
            .filter((holder) => (all ? !(holder.until! <= NOW - SPAN) : isPresent(holder)))
            .map(({ peer }) => peer)
            .filter((peer) => facts.has(peer) && facts.get(peer)![field] === undefined);
          return new Set(peers);
        };
        const expected: [string, Set<PeerId>][] = [
          ['failure-domain-limit', without('failureDomains', true)],
          ['membership', without('member')],
          ['certificate', without('certificate')],
          ['reputation-floor', without('reputation')],
          ['room', without('freeBytes')],
          ['latency', without('latencyMs')],
          ['packet-loss', without('packetLoss')],
          ['load', without('capacityBytes')],
          ['load', without('freeBytes')],
          ['reputation', without('reputation')],
        ];
        const wanted = expected.filter(
          ([rule, peers]) => peers.size > 0 && !rules.off.includes(rule as SoftRule),
        );
        if (rules.separateSiblings && !siblings) wanted.unshift(['sibling-separation', new Set()]);
        expect(unchecked.map(({ rule, peers }) => [rule, new Set(peers)])).toEqual(wanted);
        for (const { peers, message } of unchecked) {
          expect(new Set(peers).size).toBe(peers.length);
          if (peers.length > 0) expect(message).toContain(`of ${peers.length} of the peers`);
        }
      }),
      { numRuns: 300, seed: 9 },
    );
  });
});

interface Draft {
  readonly placed: PlacedHolder[];
  readonly facts: Map<PeerId, PeerFact>;
  rules: PlacementRules;
  siblings: { index: number; peer: PeerId; until?: number }[];
}

/** 4 + 3 with so many copies, everything recorded, every rule kept with nothing to spare that matters. */
function valid(copies: number): Draft {
  const rules = { ...defaultRules(4, 3), copies, separateSiblings: true };
  const facts = new Map<PeerId, PeerFact>();
  const placed: PlacedHolder[] = [];
  for (let at = 0; at < 7 * copies; at++) {
    placed.push({ index: at % 7, peer: peerId(at) });
    facts.set(peerId(at), {
      operator: `o${at}`,
      region: `c${at % 2}/r${Math.floor(at / 3)}/x`,
      failureDomains: [`d${at}`],
      latencyMs: 50,
      packetLoss: 0.01,
      reputation: 0.9,
      freeBytes: 80 * MiB,
      capacityBytes: 100 * MiB,
      member: true,
      certificate: { validFrom: 0, validUntil: NOW + 1 },
    });
  }
  facts.set(peerId(90), { ...facts.get(peerId(0))!, operator: 'o90', failureDomains: [] });
  return { placed, facts, rules, siblings: [] };
}

const judge = (draft: Draft, relaxed: readonly SoftRule[] = []) =>
  auditPlacement({
    partition,
    ...draft,
    relaxations: relaxed.map((rule) => ({ rule, reason: 'x' })),
    now: NOW,
  });

/** How to spoil a placement at holder `at`, and which rules must be named; every one of them, and no other. */
type Spoil = readonly [name: string, spoil: (draft: Draft, at: number) => void, rules: readonly string[]];

const change = (draft: Draft, at: number, facts: Partial<PeerFact>): void => {
  const { peer } = draft.placed[at]!;
  draft.facts.set(peer, { ...draft.facts.get(peer)!, ...facts });
};
/** `count` different shards from `at` on, each of one copy. */
const several = (draft: Draft, at: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((at % 7) + i) % 7).map(
    (i) => i + 7 * (at >= 7 && draft.placed.length > 7 ? 1 : 0),
  );
const setRules = (draft: Draft, rules: Partial<PlacementRules>): void => {
  draft.rules = { ...draft.rules, ...rules };
};
const otherIndex = (draft: Draft, at: number): number => (draft.placed[at]!.index + 1) % 7;

const HARD: readonly Spoil[] = [
  [
    'a second shard',
    (d, at) => d.placed.push({ index: otherIndex(d, at), peer: d.placed[at]!.peer }),
    ['one-shard-per-peer'],
  ],
  [
    'a former shard',
    (d, at) => d.placed.push({ index: otherIndex(d, at), peer: d.placed[at]!.peer, until: NOW - SPAN + 1 }),
    ['one-shard-per-peer'],
  ],
  [
    'a former shard of no known time',
    (d, at) => d.placed.push({ index: otherIndex(d, at), peer: d.placed[at]!.peer, past: true }),
    ['one-shard-per-peer'],
  ],
  [
    'a sibling’s shard',
    (d, at) => d.siblings.push({ index: 0, peer: d.placed[at]!.peer }),
    ['sibling-separation'],
  ],
  [
    'a sibling’s former shard',
    (d, at) => d.siblings.push({ index: 0, peer: d.placed[at]!.peer, until: NOW - SPAN + 1 }),
    ['sibling-separation'],
  ],
  [
    'k shards of one operator',
    (d, at) => {
      for (const each of several(d, at, 4)) change(d, each, { operator: 'evil' });
    },
    ['operator-limit'],
  ],
  [
    'k shards of one operator, whatever the setting',
    (d, at) => {
      setRules(d, { maxPerOperator: 100 });
      for (const each of several(d, at, 4)) change(d, each, { operator: 'evil' });
    },
    ['operator-limit'],
  ],
  [
    'k shards of one operator, and a setting that is none',
    (d, at) => {
      setRules(d, { maxPerOperator: Number.NaN });
      for (const each of several(d, at, 4)) change(d, each, { operator: 'evil' });
    },
    ['operator-limit'],
  ],
  [
    'more of one operator than the setting',
    (d, at) => {
      setRules(d, { maxPerOperator: 1 });
      for (const each of several(d, at, 2)) change(d, each, { operator: 'evil' });
    },
    ['operator-limit'],
  ],
  [
    'k shards of one operator, one of them former',
    (d, at) => {
      for (const each of several(d, at, 3)) change(d, each, { operator: 'evil' });
      d.facts.set(peerId(90), { ...d.facts.get(peerId(90))!, operator: 'evil' });
      const index = ((at % 7) + 3) % 7;
      d.placed.push({ index, peer: peerId(90), until: NOW });
    },
    ['operator-limit'],
  ],
  [
    'k shards of one failure domain',
    (d, at) => {
      for (const each of several(d, at, 4)) change(d, each, { failureDomains: ['other', 'evil'] });
      setRules(d, { maxPerFailureDomain: 100 });
      const [first] = several(d, at, 4);
      change(d, first!, { failureDomains: ['evil'] });
    },
    ['failure-domain-limit'],
  ],
  ['a stranger', (d, at) => d.facts.delete(d.placed[at]!.peer), ['unknown-peer']],
  ['a shard too many', (d) => d.placed.push({ index: 7, peer: peerId(90), until: 0 }), ['unknown-index']],
  [
    'an index of no kind',
    (d) => d.placed.push({ index: Number.NaN, peer: peerId(90), until: 0 }),
    ['unknown-index'],
  ],
  ['too few peers', (d) => setRules(d, { minDistinctPeers: d.placed.length + 1 }), ['min-distinct-peers']],
  ['one that left', (d, at) => change(d, at, { member: false }), ['membership']],
  [
    'an expired certificate',
    (d, at) => change(d, at, { certificate: { validFrom: 0, validUntil: NOW } }),
    ['certificate'],
  ],
  [
    'a certificate of tomorrow',
    (d, at) => change(d, at, { certificate: { validFrom: NOW + 1, validUntil: NOW + 2 } }),
    ['certificate'],
  ],
  [
    'a revoked certificate',
    (d, at) => change(d, at, { certificate: { validFrom: 0, validUntil: NOW + 1, revokedAt: NOW } }),
    ['certificate'],
  ],
  [
    'a certificate of no time',
    (d, at) => change(d, at, { certificate: { validFrom: Number.NaN, validUntil: NOW + 1 } }),
    ['certificate'],
  ],
];

const GONE: Spoil = ['a holder gone', (d, at) => d.placed.splice(at, 1), []];
const SOFT: readonly (readonly [SoftRule, Spoil[1], string[]])[] = [
  ['latency', (d, at) => change(d, at, { latencyMs: 50 + 50 * d.placed.length + 1 }), []],
  ['packet-loss', (d, at) => change(d, at, { packetLoss: 0.05 }), []],
  [
    'region',
    (d, at) => {
      for (const each of several(d, at, 4)) change(d, each, { region: 'eu/xx/y' });
    },
    [],
  ],
  [
    'continent',
    (d) => {
      for (const [at, { peer }] of d.placed.entries()) {
        change(d, at, { region: d.facts.get(peer)!.region.replace(/^c1/, 'c0') });
      }
    },
    [],
  ],
  ['load', (d, at) => change(d, at, { freeBytes: 31 * MiB - 1 }), []],
  ['load', (d, at) => change(d, at, { freeBytes: 2 * MiB - 1, capacityBytes: undefined }), []],
  ['reputation', (d, at) => change(d, at, { reputation: 0.7 }), []],
  ['reputation', (d, at) => change(d, at, { reputation: 0.49 }), ['reputation-floor']],
  ['load', (d, at) => change(d, at, { freeBytes: MiB - 1, capacityBytes: undefined }), ['room']],
];

const site = fc.tuple(fc.integer({ min: 1, max: 2 }), fc.nat({ max: 13 }));
const everywhere = (check: (copies: number, at: number) => void): void =>
  fc.assert(
    fc.property(site, ([copies, at]) => check(copies, at % (7 * copies))),
    { numRuns: 40, seed: 2 },
  );

describe('of a placement that keeps every rule', () => {
  const named = (verdict: ReturnType<typeof judge>) => [
    ...new Set(verdict.violations.map(({ rule }) => rule)),
  ];

  test('nothing is found, and nothing is unchecked', () => {
    for (const copies of [1, 2])
      expect(judge(valid(copies))).toEqual({ violations: [], relaxed: [], unchecked: [] });
  });

  test.each<Spoil>([
    [
      'a former shard whose time is over',
      (d, at) => d.placed.push({ index: otherIndex(d, at), peer: d.placed[at]!.peer, until: NOW - SPAN }),
      [],
    ],
    [
      'the same shard once more',
      (d, at) => d.placed.push({ index: d.placed[at]!.index, peer: d.placed[at]!.peer, until: NOW - 1 }),
      [],
    ],
    [
      'a sibling’s former shard whose time is over',
      (d, at) => d.siblings.push({ index: 0, peer: d.placed[at]!.peer, until: NOW - SPAN }),
      [],
    ],
    [
      'a sibling’s shard, if they need not be apart',
      (d, at) => {
        setRules(d, { separateSiblings: false });
        d.siblings.push({ index: 0, peer: d.placed[at]!.peer });
      },
      [],
    ],
    [
      'k − 1 shards of one operator and one failure domain, former ones whose time is over aside',
      (d, at) => {
        for (const each of several(d, at, 3)) change(d, each, { operator: 'evil', failureDomains: ['evil'] });
        d.facts.set(peerId(90), { ...d.facts.get(peerId(90))!, operator: 'evil', failureDomains: ['evil'] });
        d.placed.push({ index: ((at % 7) + 3) % 7, peer: peerId(90), until: NOW - SPAN });
      },
      [],
    ],
    [
      'a revocation to come',
      (d, at) => change(d, at, { certificate: { validFrom: NOW, validUntil: NOW + 1, revokedAt: NOW + 1 } }),
      [],
    ],
    ['round trips that just average', (d, at) => change(d, at, { latencyMs: 50 + 50 * d.placed.length }), []],
    ['just enough free', (d, at) => change(d, at, { freeBytes: 31 * MiB }), []],
    [
      'a reputation and a packet loss that just do',
      (d, at) => change(d, at, { reputation: 0.7001, packetLoss: 0.0499 }),
      [],
    ],
  ])('%s is no violation', (_, spoil) => {
    everywhere((copies, at) => {
      const draft = valid(copies);
      spoil(draft, at);
      expect(judge(draft).violations).toEqual([]);
    });
  });

  test.each(HARD)('%s is found and named', (_, spoil, rules) => {
    everywhere((copies, at) => {
      const draft = valid(copies);
      spoil(draft, at);
      const verdict = judge(draft, SOFT_RULES);
      expect(named(verdict)).toEqual(rules);
      for (const { message } of verdict.violations) expect(message).not.toMatch(/undefined|null|\[object/);
    });
  });

  test('a holder gone is found and named', () => {
    everywhere((copies, at) => {
      const draft = valid(copies);
      GONE[1](draft, at);
      expect(named(judge(draft, SOFT_RULES))).toEqual([copies === 1 ? 'unplaced' : 'copies']);
    });
  });

  test.each(SOFT)('the %s rule: found unless it is recorded or off', (rule, spoil, hard) => {
    everywhere((copies, at) => {
      const draft = valid(copies);
      spoil(draft, at);
      const others = SOFT_RULES.filter((other) => other !== rule);
      const found = judge(draft, others);
      expect(named(found)).toEqual([...hard, 'unrecorded-relaxation']);
      expect(found.violations.flatMap(({ softRule }) => softRule ?? [])).toContain(rule);
      expect(found.relaxed).toEqual([]);
      const recorded = judge(draft, [rule]);
      expect(named(recorded)).toEqual(hard);
      expect(recorded.relaxed[0]?.rule).toBe(rule);
      setRules(draft, { off: [rule] });
      const off = judge(draft);
      expect([named(off), off.relaxed]).toEqual([hard, []]);
    });
  });

  test('says by how much', () => {
    const draft = valid(1);
    change(draft, 3, { certificate: { validFrom: 0, validUntil: NOW, revokedAt: 7 }, reputation: 0.2 });
    change(draft, 4, { packetLoss: 0.5, freeBytes: MiB });
    draft.siblings.push({ index: 2, peer: peerId(5) });
    expect(judge(draft, ['load']).violations.map(({ message }) => message)).toEqual([
      `Peer ${peerId(5)} holds or has held shard 5, and 1 of sibling partitions; none is allowed beside it.`,
      `The certificate of peer ${peerId(3)}, holder of shard 3, had been revoked (7; it was ${NOW}).`,
      `Peer ${peerId(3)}, holder of shard 3, had a reputation of 0.2; none below 0.5 may be chosen.`,
      `The packet-loss rule was relaxed without a record of it: Peer ${peerId(4)} lost 0.5 of packets; less than 0.05 is wanted.`,
      `The reputation rule was relaxed without a record of it: Peer ${peerId(3)} had a reputation of 0.2; more than 0.7 is wanted.`,
    ]);
    expect(judge(draft, ['load', 'packet-loss', 'reputation']).relaxed.map(({ message }) => message)).toEqual(
      [
        `Peer ${peerId(4)} lost 0.5 of packets; less than 0.05 is wanted.`,
        `With the shard peer ${peerId(4)} uses ${100 * MiB} of ${100 * MiB} bytes; at most 0.7 of them is wanted.`,
        `Peer ${peerId(4)} had ${MiB} bytes free; at least ${2 * MiB} are wanted.`,
        `Peer ${peerId(3)} had a reputation of 0.2; more than 0.7 is wanted.`,
      ],
    );
  });
});

describe('a record that cannot be judged is refused', () => {
  const fields = [
    ...([
      'k',
      'm',
      'copies',
      'minDistinctPeers',
      'separationWindows',
      'windowHours',
      'maxLatencyMs',
    ] as const),
    ...([
      'maxPacketLoss',
      'maxPerRegion',
      'minContinents',
      'maxLoad',
      'headroomShards',
      'minReputation',
    ] as const),
    ...(['reputationFloor', 'shardBytes'] as const),
  ];
  test.each(fields)('rule %s', (field) => {
    const draft = valid(1);
    setRules(draft, { [field]: Number.NaN });
    const { code, details } = refusalOf(() => judge(draft));
    expect([code, details.field]).toEqual(['USAGE', field]);
  });

  test.each<[string, number]>([
    ['k', 1],
    ['m', -1],
    ['copies', 0],
  ])('%s of %i', (field, value) => {
    const draft = valid(1);
    setRules(draft, { [field]: value });
    expect(codeOf(() => judge(draft))).toBe('USAGE');
  });

  test.each<[string, Partial<PeerFact>]>([
    ['packetLoss', { packetLoss: Number.NaN }],
    ['packetLoss', { packetLoss: 1.5 }],
    ['reputation', { reputation: -1 }],
    ['latencyMs', { latencyMs: Number.POSITIVE_INFINITY }],
    ['freeBytes', { freeBytes: -1 }],
    ['capacityBytes', { capacityBytes: Number.NaN }],
  ])('fact %s', (field, facts) => {
    const draft = valid(1);
    change(draft, 2, facts);
    const { code, details } = refusalOf(() => judge(draft));
    expect([code, details.field]).toEqual(['USAGE', field]);
  });

  test('times', () => {
    const draft = valid(1);
    const request = { partition, ...draft };
    expect(codeOf(() => verifyPlacement({ ...request, now: Number.NaN }))).toBe('USAGE');
    expect(codeOf(() => verifyPlacement({ ...request, now: 0 }))).toBe(null);
    draft.placed.push({ index: 0, peer: peerId(0), until: Number.NaN });
    expect(codeOf(() => verifyPlacement(request))).toBe('USAGE');
  });
});
