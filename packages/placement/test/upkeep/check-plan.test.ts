import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PeerId } from '@holdfast/contracts';
import { defaultSettings } from '@holdfast/placement';
import { checkPlan, type PartitionState, type Step, type UpkeepState } from '@holdfast/placement/upkeep';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidate, codeOf, partitionId, peerId } from '../swarm.ts';
import { allOrders, faultsOnTheWay } from './naive-run.ts';
import { Dice, NOW, randomMix, randomState, withOutages } from './random-state.ts';

/** Steps that may be anything: often a proper move, often with an order, a peer or a shard that is wrong. */
function anyPlan(state: UpkeepState, dice: Dice): Step[] {
  const steps: Step[] = [];
  const most = dice.whole(1, 6);
  const partition = dice.of(state.partitions);
  const other = dice.of(state.partitions);
  let from: PeerId = peerId(0);
  let to: PeerId = peerId(0);
  let index = 0;
  let at: PartitionState = partition;
  while (steps.length < most) {
    const id = steps.length;
    const last =
      id % 3 === 0 || dice.chance(0.1) ? [] : dice.chance(0.85) ? [id - 1] : [dice.whole(0, id - 1)];
    if (id % 3 === 0) {
      if (dice.chance(0.7) || id === 0) {
        at = dice.chance(0.7) ? partition : other;
        index = dice.whole(0, at.holders.length - 1);
        from = at.holders[index] ?? dice.of(state.peers).id;
      } else {
        from = to;
      }
      to = dice.of(state.peers).id;
    }
    const base = { id, partition: at.id, index, after: last.filter((s) => steps[s]!.partition === at.id) };
    const gone = dice.chance(0.9) ? from : to;
    const kind = dice.chance(0.85) ? id % 3 : dice.whole(0, 2);
    if (kind === 0) {
      const work = { from: dice.chance(0.9) ? from : to, bytes: 1, verificationHash: '' };
      steps.push({ ...base, kind: 'copy', to, ...work });
    } else if (kind === 1) {
      const peer = dice.chance(0.9) ? to : from;
      steps.push({ ...base, kind: 'verify', peer, hash: at.hashes[index]! });
    } else {
      steps.push({ ...base, kind: dice.chance(0.8) ? 'release' : 'write-off', peer: gone });
    }
  }
  return steps;
}

const NOT_COMPARED = new Set(['room', 'candidate']);

test('finds exactly what is found by doing the steps in all orders and looking after each', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const dice = new Dice(seed);
      const random = randomState(dice, { ...randomMix(dice, 9), partitions: 2, separateSiblings: true });
      fc.pre(random.partitions.length > 0);
      // Whether a sibling's fault was there before, or is made a second time, is not what is compared.
      const state = {
        ...withOutages(random, dice.chance(0.3) ? [{ peer: dice.of(random.peers).id, since: NOW - 1 }] : []),
        settings: { ...random.settings, separateSiblings: dice.chance(0.5) },
      };
      const plan = anyPlan(state, dice);
      const expected = new Set<string>();
      for (const order of allOrders(plan))
        for (const fault of faultsOnTheWay(state, order)) expected.add(fault);
      const found = new Set<string>(
        checkPlan(state, plan)
          .map(({ rule }) => rule)
          .filter((rule) => !NOT_COMPARED.has(rule)),
      );
      for (const fault of found) seen.set(fault, (seen.get(fault) ?? 0) + 1);
      if (found.size === 0) seen.set('safe', (seen.get('safe') ?? 0) + 1);
      if (expected.has('siblings') !== found.has('siblings')) {
        // It is stricter where a peer had both at the start already.
        expect(found).toContain('siblings');
        expected.add('siblings');
      }
      expect([...found].sort()).toEqual([...expected].sort());
    }),
    { numRuns: 1500, seed: 4 },
  );
  for (const fault of ['safe', 'margin', 'released-unverified', 'source', 'one-shard-per-peer']) {
    expect(seen.get(fault), fault).toBeGreaterThan(50);
  }
  for (const fault of ['operator-limit', 'failure-domain-limit', 'siblings']) {
    expect(seen.get(fault), fault).toBeGreaterThan(10);
  }
});

/** Six peers of as many operators; peers 0 to 3 hold shards 0 to 3, any two of which are enough. */
const partition: PartitionState = {
  id: partitionId(1),
  k: 2,
  m: 2,
  shardBytes: 100,
  holders: [0, 1, 2, 3].map(peerId),
  past: [],
  hashes: ['h0', 'h1', 'h2', 'h3'],
};
const state: UpkeepState = {
  partitions: [partition],
  peers: Array.from({ length: 6 }, (_, n) => candidate(n)),
  candidates: [0, 1, 2, 3, 4, 5].map(peerId),
  outages: [],
  settings: defaultSettings(2),
  now: NOW,
};
const shard = { partition: partition.id, index: 0 };
const copy = (facts: Partial<Extract<Step, { kind: 'copy' }>> = {}): Step => ({
  ...{ id: 0, ...shard, after: [], kind: 'copy', from: peerId(0), to: peerId(4), bytes: 100 },
  verificationHash: '',
  ...facts,
});
const verify = (facts: Partial<Extract<Step, { kind: 'verify' }>> = {}): Step => ({
  ...{ id: 1, ...shard, after: [0], kind: 'verify', peer: peerId(4), hash: 'h0' },
  ...facts,
});
const release = (facts: Partial<Extract<Step, { kind: 'release' }>> = {}): Step => ({
  ...{ id: 2, ...shard, after: [1], kind: 'release', peer: peerId(0) },
  ...facts,
});
const sources = [1, 2].map((n) => ({ index: n, peer: peerId(n) }));
const make = (facts: Partial<Extract<Step, { kind: 'make' }>> = {}): Step => ({
  ...{ id: 0, ...shard, after: [], kind: 'make', sources, helpers: 0, to: peerId(4), bytes: 100 },
  verificationHash: '',
  ...facts,
});
const rulesOf = (steps: Step[], of: Partial<UpkeepState> = {}): string[] =>
  checkPlan({ ...state, ...of }, steps).map(({ rule }) => rule);

describe('a plan', () => {
  test('of copy, verify and release is safe', () => {
    expect(checkPlan(state, [copy(), verify(), release()])).toEqual([]);
    expect(checkPlan(state, [release(), verify(), copy()])).toEqual([]);
    expect(checkPlan(state, [])).toEqual([]);
  });

  test.each<[string, Step[]]>([
    ['an id twice', [copy(), verify({ id: 0, after: [] })]],
    ['half a step before it', [copy(), verify({ after: [0.5] })]],
    ['an unknown partition', [copy({ partition: partitionId(2) })]],
    ['an unknown index', [copy({ index: 4 })]],
    ['an index that is none', [copy({ index: 0.5 })]],
    ['another hash', [copy(), verify({ hash: 'h1' })]],
    ['a step before it that is not there', [copy({ after: [7] })]],
    ['a circle', [copy({ after: [2] }), verify(), release()]],
    ['itself before it', [copy({ after: [0] })]],
    ['too many steps', Array.from({ length: 17 }, (_, id) => verify({ id, after: [], peer: peerId(0) }))],
  ])('with %s is malformed', (_, steps) => {
    expect([...new Set(rulesOf(steps))]).toEqual(['malformed']);
  });

  test('waits for no other partition', () => {
    const other = { ...partition, id: partitionId(2) };
    const steps = [copy({ partition: other.id, to: peerId(5) }), verify({ after: [0], peer: peerId(0) })];
    expect(rulesOf(steps, { partitions: [partition, other] })).toEqual(['malformed']);
  });

  test('gives shards to candidates only', () => {
    expect(rulesOf([copy()], { candidates: [peerId(5)] })).toEqual(['candidate']);
    expect(rulesOf([copy({ to: peerId(9) })])).toEqual(['candidate']);
  });

  test('gives nobody more than fits, whatever is deleted there', () => {
    const other = { ...partition, id: partitionId(2), holders: [0, 1, 2, 5].map(peerId) };
    const peers = state.peers.map((peer) => ({ ...peer, freeBytes: peer.id === peerId(4) ? 199 : 0 }));
    const second = copy({ id: 3, partition: other.id });
    const swarm = { peers, partitions: [partition, other] };
    expect(rulesOf([copy(), verify(), release()], swarm)).toEqual([]);
    expect(checkPlan({ ...state, ...swarm }, [copy(), second])).toMatchObject([
      { rule: 'room', step: 3, measured: 200, limit: 199 },
    ]);
    peers[4] = { ...peers[4]!, freeBytes: 200 };
    expect(rulesOf([copy(), second], swarm)).toEqual([]);
  });

  test('says by how much an operator has too many', () => {
    const peers = state.peers.map((peer) => ({
      ...peer,
      operator: peer.id === peerId(4) ? 'operator-1' : peer.operator,
    }));
    expect(checkPlan({ ...state, peers }, [copy()])).toMatchObject([
      { rule: 'operator-limit', step: 0, measured: 2, limit: 1 },
    ]);
  });

  test('keeps within k − 1 whatever the settings say', () => {
    const settings = { ...state.settings, maxPerOperator: 9, maxPerFailureDomain: 9 };
    const peers = state.peers.map((peer) => ({ ...peer, operator: 'one', failureDomains: ['one'] }));
    const held = { ...partition, holders: [peerId(0), peerId(1), null, null] };
    expect(rulesOf([copy({ index: 1, from: peerId(1) })], { settings, peers, partitions: [held] })).toEqual(
      [],
    );
    const more = { ...held, holders: [peerId(0), null, null, null] };
    const second = make({ index: 2, sources: [] });
    const rules = rulesOf([second], { settings, peers, partitions: [more] });
    expect(rules).toContain('operator-limit');
    expect(rules).toContain('failure-domain-limit');
  });

  test('gives nothing to who has something of siblings, wherever they are recorded', () => {
    const settings = { ...state.settings, separateSiblings: true };
    const family = { ...partition, siblingGroup: 'rows' };
    const sibling = {
      ...family,
      id: partitionId(2),
      holders: [4, null, null, null].map((n) => (n === null ? n : peerId(n))),
    };
    expect(rulesOf([copy()], { settings, partitions: [family, sibling] })).toEqual(['siblings']);
    expect(rulesOf([copy()], { partitions: [family, sibling] })).toEqual([]);
    const apart = { ...sibling, holders: [peerId(5), null, null, null] };
    expect(rulesOf([copy()], { settings, partitions: [family, apart] })).toEqual([]);
    const outside = (until?: number): PartitionState => ({
      ...partition,
      siblings: [{ index: 3, peer: peerId(4), until }],
    });
    expect(rulesOf([copy()], { settings, partitions: [outside()] })).toEqual(['siblings']);
    expect(rulesOf([copy()], { settings, partitions: [outside(NOW - 30 * 24 * 3_600_000 + 1)] })).toEqual([
      'siblings',
    ]);
    expect(rulesOf([copy()], { settings, partitions: [outside(NOW - 30 * 24 * 3_600_000)] })).toEqual([]);
  });

  test('makes shards of enough others, where they are', () => {
    const swarm = { outages: [{ peer: peerId(0), since: NOW }], candidates: [peerId(4), peerId(5)] };
    const steps = (facts: Partial<Extract<Step, { kind: 'make' }>>): Step[] => [
      make(facts),
      verify(),
      { ...release(), kind: 'write-off', peer: peerId(0) },
    ];
    expect(rulesOf(steps({}), swarm)).toEqual([]);
    expect(rulesOf(steps({ sources: sources.slice(1) }), swarm)).toEqual(['source']);
    expect(rulesOf(steps({ sources: [sources[0]!, sources[0]!] }), swarm)).toEqual(['source']);
    expect(rulesOf(steps({ sources: [sources[0]!, { index: 2, peer: peerId(3) }] }), swarm)).toEqual([
      'source',
    ]);
    expect(rulesOf(steps({ sources: [...sources, { index: 0, peer: peerId(0) }] }), swarm)).toEqual([
      'source',
    ]);
    const gone = { ...swarm, outages: [...swarm.outages, { peer: peerId(1), since: NOW }] };
    expect(rulesOf(steps({}), gone)).toEqual(['source']);
    expect(rulesOf(steps({ helpers: 3 }), swarm)).toEqual(['source']);
    const three = [...sources, { index: 3, peer: peerId(3) }];
    expect(rulesOf(steps({ helpers: 3, sources: three }), swarm)).toEqual(['source']);
    const clay = { ...swarm, partitions: [{ ...partition, helpers: 3 }] };
    expect(rulesOf(steps({ helpers: 3, sources: three }), clay)).toEqual([]);
    expect(rulesOf(steps({ helpers: 3 }), clay)).toEqual(['source']);
  });

  test('does not make shards of what it may have moved by then', () => {
    const moved = [
      copy({ id: 3, index: 1, from: peerId(1), to: peerId(5) }),
      verify({ id: 4, index: 1, hash: 'h1', peer: peerId(5), after: [3] }),
      release({ id: 5, index: 1, peer: peerId(1), after: [4] }),
    ];
    expect(rulesOf([make(), ...moved])).toEqual(['source']);
    expect(rulesOf([make(), ...moved.slice(0, 2), { ...moved[2]!, after: [4, 0] }])).toEqual([]);
  });

  test('does not count on peers that are away', () => {
    const swarm = { outages: [{ peer: peerId(4), since: NOW }], candidates: [] };
    expect(new Set(rulesOf([copy(), verify(), release()], swarm))).toEqual(
      new Set(['candidate', 'released-unverified', 'margin']),
    );
  });
});

describe('a senseless state is refused:', () => {
  const wrong: [string, Partial<UpkeepState>][] = [
    ['a time that is none', { now: Number.NaN }],
    ['a peer twice', { peers: [...state.peers, candidate(0)] }],
    ['a candidate twice', { candidates: [peerId(0), peerId(0)] }],
    ['a candidate that nobody knows', { candidates: [peerId(9)] }],
    ['a candidate that is away', { outages: [{ peer: peerId(0), since: NOW }] }],
    ['an outage twice', { candidates: [], outages: [0, 0].map((n) => ({ peer: peerId(n), since: NOW })) }],
    ['an outage since no time', { candidates: [], outages: [{ peer: peerId(0), since: Number.NaN }] }],
    ['a partition twice', { partitions: [partition, partition] }],
    ...Object.entries({
      'an id that is none': { id: 'x' as PartitionState['id'] },
      'k below 2': { k: 1 },
      'too few holders': { holders: [] },
      'too few hashes': { hashes: [] },
      'as many helpers as k': { helpers: 2 },
      'more helpers than others': { helpers: 4 },
      'helpers that are no number': { helpers: Number.NaN },
      'shards of no bytes': { shardBytes: 0 },
      'a former holder of a shard that there is not': { past: [{ index: 4, peer: peerId(4) }] },
      'a former holder until no time': { past: [{ index: 0, peer: peerId(4), until: Number.NaN }] },
      'a sibling until no time': { siblings: [{ index: 0, peer: peerId(4), until: Number.NaN }] },
    }).map(([name, facts]): [string, Partial<UpkeepState>] => [
      name,
      { partitions: [{ ...partition, ...facts }] },
    ]),
    ['a limit of no shards', { settings: { ...state.settings, maxPerOperator: 0 } }],
  ];
  test.each(wrong)('%s', (_, facts) => {
    expect(codeOf(() => checkPlan({ ...state, ...facts }, []))).toBe('USAGE');
  });
});

test('settings that are too wide for a small partition are taken as its shape allows', () => {
  const settings = {
    ...state.settings,
    maxPerOperator: 9,
    maxPerFailureDomain: 9,
    minDistinctPeers: 9,
    minContinents: 9,
  };
  expect(checkPlan({ ...state, settings }, [])).toEqual([]);
});

test('it shares no code with planners, assignment or rules', () => {
  const root = join(import.meta.dirname, '../../src');
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const imports = readFileSync(join(root, file), 'utf8').matchAll(
      /^(?:import|export) (?!type)[^;]*? from '(\.[^']+)';/gm,
    );
    for (const [, path] of imports) visit(join(dirname(file), path!));
  };
  for (const file of readdirSync(join(root, 'upkeep/check'))) visit(join('upkeep/check', file));
  expect([...seen].filter((file) => !file.startsWith('upkeep/check/')).sort()).toEqual([
    'candidate.ts',
    'placement-rules.ts',
    'upkeep/state.ts',
  ]);
});
