import type { PeerId } from '@holdfast/contracts';
import { type Candidate, defaultSettings, type SoftRule } from '@holdfast/placement';
import {
  defaultRebalance,
  execute,
  type PartitionState,
  planRebalance,
  type RebalanceSettings,
  type UpkeepState,
} from '@holdfast/placement/upkeep';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastingWeight, type Share, wantedBytes } from '../../src/upkeep/rebalance/wanted.ts';
import { candidate, codeOf, partitionId, peerId, salt } from '../swarm.ts';
import { Dice, HOUR, NOW, randomMix, randomState, withOutages } from './random-state.ts';
import { expectSafe } from './safe-plan.ts';

const unbounded: RebalanceSettings = {
  ...defaultRebalance,
  ...{ maxBytes: 1e18, maxShare: 1, startAt: 0.1, stopAt: 0.03 },
};

/** By how much each soft rule is broken, counted from its definition. */
function broken(
  partition: PartitionState,
  facts: ReadonlyMap<PeerId, Candidate>,
  settings: UpkeepState['settings'],
) {
  const known = partition.holders.flatMap((peer) => (peer === null ? [] : (facts.get(peer) ?? [])));
  const regions = Map.groupBy(known, ({ region }) => region.split('/').slice(0, 2).join('/'));
  const continents = new Set(known.map(({ region }) => region.split('/')[0]));
  const trips = known.map(({ latencyMs }) => latencyMs ?? settings.maxLatencyMs);
  const average = trips.reduce((sum, ms) => sum + ms, 0) / Math.max(1, trips.length);
  const amounts: Record<Exclude<SoftRule, 'load'>, number> = {
    latency: Math.max(0, average - settings.maxLatencyMs),
    'packet-loss': known.filter(({ packetLoss = 0 }) => packetLoss >= settings.maxPacketLoss).length,
    region: [...regions.values()].reduce(
      (sum, { length }) => sum + Math.max(0, length - settings.maxPerRegion),
      0,
    ),
    continent: Math.max(0, Math.min(settings.minContinents, partition.k + partition.m) - continents.size),
    reputation: known.filter(({ reputation = 1 }) => reputation <= settings.minReputation).length,
  };
  for (const rule of settings.off) if (rule !== 'load') amounts[rule] = 0;
  return amounts;
}

const ours = (state: UpkeepState): Map<PeerId, number> => {
  const bytes = new Map<PeerId, number>();
  for (const { holders, shardBytes } of state.partitions) {
    for (const peer of holders) if (peer !== null) bytes.set(peer, (bytes.get(peer) ?? 0) + shardBytes);
  }
  return bytes;
};

/** `count` partitions of 2 + 2 with shards of 100 bytes at the peers named; peers have 10 000 bytes and hold what ours they have. */
function swarm(
  holders: number[][],
  peers: number,
  facts: (n: number) => Partial<Candidate> = () => ({}),
): UpkeepState {
  const used = (n: number): number => holders.filter((all) => all.includes(n)).length * 100;
  const all = Array.from({ length: peers }, (_, n) =>
    candidate(n, {
      ...{ region: `c${n % 3}/r${n}/x`, capacityBytes: 10_000, freeBytes: 10_000 - used(n) },
      ...facts(n),
    }),
  );
  return {
    partitions: holders.map((at, n) => ({
      ...{ id: partitionId(n), k: 2, m: 2, shardBytes: 100, past: [], hashes: ['a', 'b', 'c', 'd'] },
      holders: at.map(peerId),
    })),
    peers: all,
    candidates: all.map(({ id }) => id),
    outages: [],
    settings: defaultSettings(2),
    now: NOW,
  };
}

const plan = (state: UpkeepState, settings: Partial<RebalanceSettings> = {}) =>
  planRebalance(state, { settings: { ...unbounded, ...settings }, salt: salt(1) });

/** The same partitions over again, so that bands are wider than a shard. */
const times = (count: number, holders: number[][]): number[][] =>
  Array.from({ length: count }, () => holders).flat();

describe('what is wanted of peers', () => {
  const share = (weight: number, had: number, most: number): Share => ({
    peer: candidate(weight * 1000 + had, { weight }),
    ours: had,
    most,
  });
  const of = (shares: Share[]): number[] => [...wantedBytes(shares).values()];

  test('is in proportion to weight', () => {
    expect(of([share(1, 60, 1e9), share(2, 0, 1e9), share(3, 0, 1e9)])).toEqual([10, 20, 30]);
  });

  test('is at most what a peer can have, and the rest is shared by the others', () => {
    expect(of([share(1, 60, 1e9), share(2, 0, 1e9), share(3, 0, 12)])).toEqual([16, 32, 12]);
    expect(of([share(1, 60, 10), share(2, 0, 15), share(3, 0, 12)])).toEqual([10, 15, 12]);
    expect(of([share(1, 0, 9), share(0, 60, 1e9)])).toEqual([9, 0]);
    expect(of([share(0, 60, 9)])).toEqual([0]);
    expect(of([])).toEqual([]);
  });

  test('is capacity, reputation and steadiness, unless a weight is given; never free room', () => {
    const peer = candidate(1, { capacityBytes: 100, freeBytes: 1, reputation: 0.5, stability: 0.5 });
    expect(lastingWeight(peer)).toBe(25);
    expect(lastingWeight({ ...peer, weight: 7 })).toBe(7);
    expect(lastingWeight(candidate(1, { capacityBytes: 100, freeBytes: 1 }))).toBe(100);
  });
});

describe('a rebalancing', () => {
  /** Every peer of 8 has 20 shards of ours. */
  const even = times(10, [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [0, 2, 4, 6],
    [1, 3, 5, 7],
  ]);

  test('leaves alone what is as it should be', () => {
    expect(plan(swarm(even, 8))).toMatchObject({
      moves: [],
      steps: [],
      movedBytes: 0,
      cutOff: false,
      waitsForRoom: false,
    });
    expect(plan({ ...swarm(even, 8), partitions: [] }).moves).toEqual([]);
  });

  test('gives a new peer about its share, from those that have too much, and no more', () => {
    const { moves } = plan(swarm(even, 9));
    // 160 shards among nine: 17.8 each; it ends within 3 % or one shard.
    expect(moves.length).toBeGreaterThanOrEqual(16);
    expect(moves.length).toBeLessThanOrEqual(17);
    expect(new Set(moves.map(({ to }) => to))).toEqual(new Set([peerId(8)]));
    expect(moves.every(({ why, bytes }) => why === 'balance' && bytes === 100)).toBe(true);
    const left = ours(execute(swarm(even, 9), plan(swarm(even, 9)).steps));
    for (let n = 0; n < 8; n++) expect(left.get(peerId(n))!).toBeGreaterThanOrEqual(1777);
  });

  test('gives each of several new peers its share', () => {
    const { steps } = plan(swarm(even, 10));
    const end = ours(execute(swarm(even, 10), steps));
    for (const n of [8, 9]) expect(end.get(peerId(n))).toBeGreaterThanOrEqual(1500);
    for (const n of [8, 9]) expect(end.get(peerId(n))).toBeLessThanOrEqual(1600);
  });

  test('takes from those that have most too much first', () => {
    const at = even.map((held, n) => (n % 4 === 0 ? held.map((p) => (p === 0 ? 5 : p)) : held));
    // Peer 5 has 3 000 bytes, peer 0 a thousand, the others 2 000.
    const { moves } = plan(swarm(at, 8), { maxBytes: 100 });
    expect(moves).toMatchObject([{ from: peerId(5), to: peerId(0) }]);
    const { moves: joined } = plan(
      swarm(at, 12, (n) => (n === 11 ? {} : { weight: n < 8 ? 1e4 : 0 })),
      { maxBytes: 100 },
    );
    expect(joined).toMatchObject([{ from: peerId(5) }]);
  });

  test('does not begin for less than startAt, and then goes to stopAt', () => {
    // Peer 0 and 1 trade shards so that they differ from what is wanted.
    const off = (count: number): number[][] =>
      even.map((at, n) => (n % 4 === 0 && n < count * 4 ? at.map((p) => (p === 0 ? 4 : p)) : at)).concat();
    const state = (count: number) => swarm(off(count), 8);
    // Peer 4 has 2 000 + count · 100 where 2 000 is wanted.
    expect(plan(state(2), { startAt: 0.1, stopAt: 0.01 }).moves).toEqual([]);
    const started = plan(state(3), { startAt: 0.1, stopAt: 0.01 });
    expect(started.moves.length).toBeGreaterThanOrEqual(2);
    expect(plan(state(3), { startAt: 0.2, stopAt: 0.01 }).moves).toEqual([]);
    const end = ours(execute(state(3), started.steps));
    expect(end.get(peerId(4))!).toBeLessThanOrEqual(2100);
    expect(end.get(peerId(4))!).toBeGreaterThanOrEqual(2000);
  });

  test('empties peers of no weight', () => {
    const state = swarm(even, 12, (n) => (n === 3 ? { weight: 0 } : { weight: 1 }));
    const { steps } = plan(state);
    expect(ours(execute(state, steps)).get(peerId(3)) ?? 0).toBe(0);
  });

  test('follows a change of capacity', () => {
    const state = swarm(even, 8, (n) => (n === 0 ? { capacityBytes: 30_000, freeBytes: 28_000 } : {}));
    const { moves } = plan(state);
    expect(new Set(moves.map(({ to }) => to))).toEqual(new Set([peerId(0)]));
    // Seven peers have 20 shards and should have 17.1: two go from each, but peer 2 has only partitions that 0 has too.
    expect(moves).toHaveLength(12);
  });

  test('takes from overloaded peers first, until they are below the limit again', () => {
    const state = swarm(even, 9, (n) => (n === 0 ? { freeBytes: 2_500 } : {}));
    const { moves } = plan(state);
    // 7 500 of 10 000 are used; 70 % are allowed, and it goes on to 68 %.
    expect(moves.slice(0, 7).map(({ from, why }) => [from, why])).toEqual(Array(7).fill([peerId(0), 'load']));
    expect(moves.filter(({ why }) => why === 'load')).toHaveLength(7);
    // Peer 8 has nothing, and the others more than is wanted of them.
    expect(new Set(moves.slice(0, 7).map(({ to }) => to))).toEqual(new Set([peerId(8)]));
    expect(
      plan(swarm(even, 9, (n) => (n === 0 ? { freeBytes: 3_000 } : {}))).moves.filter(
        ({ why }) => why === 'load',
      ),
    ).toEqual([]);
    const off = { ...state, settings: { ...state.settings, off: ['load' as const] } };
    expect(plan(off).moves.filter(({ why }) => why === 'load')).toEqual([]);
    expect(plan(state, { loadSlack: 0.6 }).moves.filter(({ why }) => why === 'load').length).toBeGreaterThan(
      19,
    );
  });

  test('serves the fullest first', () => {
    const state = swarm(even, 9, (n) =>
      n === 0 ? { freeBytes: 2_500 } : n === 5 ? { freeBytes: 1_000 } : {},
    );
    expect(plan(state).moves[0]).toMatchObject({ from: peerId(5), why: 'load' });
  });

  test('mends first what is given up last', () => {
    const facts = (n: number) => (n === 1 ? { packetLoss: 0.2 } : n === 3 ? { reputation: 0.6 } : {});
    const { moves } = plan(swarm([[0, 1, 2, 3]], 8, (n) => ({ weight: 1, ...facts(n) })));
    expect(moves.map(({ index, why }) => [index, why])).toEqual([
      [3, 'rule'],
      [1, 'rule'],
    ]);
  });

  test('waits for room only where its own moves make it', () => {
    const small = { capacityBytes: 1_000, freeBytes: 450, weight: 1 };
    const facts = (n: number) => (n === 4 ? small : { weight: 1, ...(n === 0 ? { freeBytes: 2_700 } : {}) });
    // One shard more is all that peer 4 may have, and nobody makes room there.
    expect(plan(swarm(times(5, [[0, 1, 2, 3]]), 5, facts))).toMatchObject({
      movedBytes: 100,
      waitsForRoom: false,
    });
  });

  test('fills peers to the brim where the load rule is off', () => {
    const facts = (n: number) => (n === 4 ? { freeBytes: 100, weight: 1 } : { weight: n === 2 ? 0 : 1 });
    const state = swarm([[0, 1, 2, 3]], 5, facts);
    expect(plan(state).moves).toEqual([]);
    const off = { ...state, settings: { ...state.settings, off: ['load' as const] } };
    expect(plan(off).moves).toMatchObject([{ from: peerId(2), to: peerId(4) }]);
  });

  test('takes fullness by the share of capacity, not by bytes', () => {
    const large = { capacityBytes: 100_000, freeBytes: 29_000, weight: 1 };
    const facts = (n: number) =>
      n === 0 ? { ...large } : n === 1 ? { freeBytes: 2_500, weight: 1 } : { weight: 1 };
    expect(plan(swarm(even, 9, facts)).moves[0]).toMatchObject({ from: peerId(1), why: 'load' });
  });

  test('gives an overloaded peer’s shards to any within the limit where nobody should have more', () => {
    const state = swarm([[0, 1, 2, 3]], 5, (n) =>
      n === 0 ? { freeBytes: 2_999, weight: 1 } : { weight: n === 4 ? 0 : 1 },
    );
    expect(plan(state).moves[0]).toMatchObject({ from: peerId(0), to: peerId(4), why: 'load' });
  });

  test('gives nobody more than maxLoad', () => {
    const small = { capacityBytes: 1_000, freeBytes: 550, weight: 1 };
    const state = swarm(even, 9, (n) => (n === 8 ? small : { weight: n === 0 ? 0 : 1 }));
    const { moves } = plan(state);
    expect(moves.filter(({ from }) => from === peerId(0)).length).toBeGreaterThan(10);
    // 450 are used, 680 wanted: two more shards fit.
    expect(moves.filter(({ to }) => to === peerId(8))).toHaveLength(2);
  });

  test('keeps soft rules again where that can be', () => {
    const one = (n: number, facts: Partial<Candidate>, good: Partial<Candidate> = {}) =>
      plan(swarm([[0, 1, 2, 3]], 6, (peer) => ({ weight: 1, ...(peer === n ? facts : good) }))).moves;
    expect(one(2, { reputation: 0.6 })).toMatchObject([
      { index: 2, from: peerId(2), why: 'rule', relaxations: [] },
    ]);
    expect(one(2, { packetLoss: 0.05 })).toMatchObject([{ index: 2, why: 'rule' }]);
    expect(one(2, { packetLoss: 0.049 })).toEqual([]);
    expect(one(2, { reputation: 0.71 })).toEqual([]);
    expect(one(2, { reputation: 0.7 })).toMatchObject([{ index: 2 }]);
    expect(one(1, { latencyMs: 500 })).toMatchObject([{ index: 1, why: 'rule' }]);
    // 104 ms on average: 4 % over the limit is a step, and comes to nothing where it can be kept.
    expect(one(1, { latencyMs: 116 })).toMatchObject([{ index: 1 }]);
    expect(one(1, { latencyMs: 100 })).toEqual([]);
  });

  test('does not move for a little less of a round trip that stays too long', () => {
    const slow = (best: number) =>
      plan(swarm([[0, 1, 2, 3]], 5, (n) => ({ weight: 1, latencyMs: n === 4 ? best : 300 }))).moves;
    expect(slow(290)).toEqual([]);
    expect(slow(100)).toHaveLength(1);
  });

  test('spreads over regions and continents again', () => {
    const region = (n: number): string => (n < 4 ? 'eu/de/x' : n === 4 ? 'eu/fr/x' : 'na/us/x');
    const state = swarm([[0, 1, 2, 3]], 6, (n) => ({ weight: 1, region: region(n) }));
    // One move to another continent mends both rules; a move within the continent mends the region only.
    expect(plan(state).moves).toMatchObject([{ to: peerId(5), why: 'rule', relaxations: [] }]);
    const few = { ...state, candidates: state.candidates.slice(0, 5) };
    expect(plan(few).moves).toMatchObject([{ to: peerId(4), relaxations: [{ rule: 'continent' }] }]);
    const off = { ...few, settings: { ...few.settings, off: ['region' as const] } };
    expect(plan(off).moves).toEqual([]);
  });

  test('mends the worst broken first, and overload before rules before imbalance', () => {
    const at = times(6, [[0, 1, 2, 3]]).concat([[1, 2, 3, 4]]);
    const state = swarm(at, 10, (n) => ({
      ...(n === 0 ? { freeBytes: 2_900 } : {}),
      ...(n === 4 ? { reputation: 0.6 } : {}),
    }));
    const { moves } = plan(state);
    const order = moves.map(({ why }) => why);
    expect(new Set(order)).toEqual(new Set(['load', 'rule', 'balance']));
    expect(order.indexOf('load')).toBe(0);
    expect(order.lastIndexOf('load')).toBeLessThan(order.indexOf('rule'));
    expect(order.indexOf('rule')).toBeLessThan(order.indexOf('balance'));
    const distrusted = swarm(
      [
        [0, 1, 2, 3],
        [0, 1, 2, 4],
      ],
      9,
      (n) => ({ weight: 1, ...(n === 4 || n === 2 ? { reputation: 0.6 } : {}) }),
    );
    expect(plan(distrusted).moves[0]).toMatchObject({ partition: partitionId(1) });
  });

  test('moves no more than the bound', () => {
    const state = swarm(even, 9);
    const few = plan(state, { maxBytes: 550 });
    expect(few).toMatchObject({ movedBytes: 500, limitBytes: 550, cutOff: true });
    expect(plan(state, { maxShare: 0.05 })).toMatchObject({ movedBytes: 800, limitBytes: 800, cutOff: true });
    expect(plan(state, { maxBytes: 0 })).toMatchObject({ moves: [], cutOff: true });
    expect(plan(swarm(even, 8), { maxBytes: 0 })).toMatchObject({ moves: [], cutOff: false });
    expect(planRebalance(state, { salt: salt(1) })).toMatchObject({ movedBytes: 800 });
  });

  test('copies from nobody who is away, and leaves peers that may take nothing as they are', () => {
    const state = withOutages(
      swarm(even, 9, (n) => (n === 0 ? { freeBytes: 2_500 } : {})),
      [{ peer: peerId(0), since: NOW }],
    );
    expect(plan(state).moves.filter(({ from }) => from === peerId(0))).toEqual([]);
    const resting = { ...swarm(even, 9), candidates: [0, 1, 2, 3, 4, 5, 6, 8].map(peerId) };
    expect(plan(resting).moves.filter(({ from, to }) => from === peerId(7) || to === peerId(7))).toEqual([]);
    expect(plan(resting).moves.length).toBeGreaterThan(10);
  });

  test('brings no shard back to where it was less than T windows ago', () => {
    const days = (count: number) => NOW - count * 24 * HOUR;
    const state = (until?: number) => {
      const made = swarm([[0, 1, 2, 3]], 5, (n) => ({ weight: 1, ...(n === 2 ? { reputation: 0.6 } : {}) }));
      const past = [{ index: 2, peer: peerId(4), until }];
      return { ...made, partitions: [{ ...made.partitions[0]!, past }] };
    };
    expect(plan(state()).moves).toEqual([]);
    expect(plan(state(days(29))).moves).toEqual([]);
    expect(plan(state(days(30))).moves).toHaveLength(1);
  });

  test.each<[string, Partial<RebalanceSettings>]>([
    ['moves less than nothing', { maxBytes: -1 }],
    ['moves a share that is none', { maxShare: Number.NaN }],
    ['moves more than there is', { maxShare: 1.1 }],
    ['starts below nothing', { startAt: -1 }],
    ['stops below nothing', { stopAt: -0.1 }],
    ['stops where it starts', { startAt: 0.1, stopAt: 0.1 }],
    ['has a slack of less than nothing', { loadSlack: -0.1 }],
    ['has a slack of more than all', { loadSlack: 1.1 }],
  ])('that %s is refused', (_, settings) => {
    expect(codeOf(() => plan(swarm(even, 8), settings))).toBe('USAGE');
  });

  test('of a senseless state is refused', () => {
    expect(codeOf(() => plan({ ...swarm(even, 8), now: Number.NaN }))).toBe('USAGE');
  });
});

describe('over random swarms', () => {
  /** No move worsens a rule, brings a shard back, or fills a peer beyond the load rule. @returns the state after it */
  function checkMoves(
    state: UpkeepState,
    made: ReturnType<typeof planRebalance>,
    left: Set<string>,
  ): UpkeepState {
    const facts = new Map(state.peers.map((peer) => [peer.id, peer]));
    const partitions = new Map(state.partitions.map((one) => [one.id, one]));
    for (const { partition: id, index, from, to } of made.moves) {
      const before = partitions.get(id)!;
      expect(before.holders[index]).toBe(from);
      const after = { ...before, holders: before.holders.with(index, to) };
      partitions.set(id, after);
      const [was, is] = [broken(before, facts, state.settings), broken(after, facts, state.settings)];
      for (const rule of Object.keys(was) as (keyof typeof was)[]) {
        expect(is[rule], rule).toBeLessThanOrEqual(was[rule] + 1e-6);
      }
      left.add(`${id} ${index} ${from}`);
      expect(left.has(`${id} ${index} ${to}`)).toBe(false);
    }
    const end = execute(state, made.steps);
    for (const [i, peer] of end.peers.entries()) {
      const gained = state.peers[i]!.freeBytes - peer.freeBytes;
      if (gained > 0)
        expect(peer.capacityBytes - peer.freeBytes).toBeLessThanOrEqual(0.7 * peer.capacityBytes + 1e-6);
    }
    for (const one of end.partitions) expect(one.holders).toEqual(partitions.get(one.id)!.holders);
    return end;
  }

  test('plans are safe, within the bound, worsen nothing, and come to an end where nothing is left to do', () => {
    const seen = { load: 0, rule: 0, balance: 0, cutOff: 0, empty: 0, waits: 0 };
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const dice = new Dice(seed);
        const mix = randomMix(dice, 60);
        let state = randomState(dice, { ...mix, partitions: dice.whole(1, 25) });
        const settings = { ...unbounded, maxShare: dice.of([1, 1, 0.1]), maxBytes: dice.of([1e18, 5e6]) };
        const left = new Set<string>();
        for (let round = 0; ; round++) {
          expect(round).toBeLessThan(200);
          const made = planRebalance(state, { settings, salt: salt(seed) });
          if (round === 0) expectSafe(state, made.steps, dice);
          expect(made.movedBytes).toBe(made.moves.reduce((sum, { bytes }) => sum + bytes, 0));
          expect(made.movedBytes).toBeLessThanOrEqual(made.limitBytes);
          for (const { why } of made.moves) seen[why] += 1;
          state = checkMoves(state, made, left);
          const goesOn = made.cutOff || made.waitsForRoom;
          if (made.cutOff) seen.cutOff += 1;
          if (made.waitsForRoom) seen.waits += 1;
          if (made.moves.length === 0) break;
          if (goesOn) continue;
          expect(planRebalance(state, { settings, salt: salt(seed) }).moves).toEqual([]);
          seen.empty += 1;
          break;
        }
      }),
      { numRuns: 80, seed: 6 },
    );
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(5);
  });

  test('whatever becomes of the facts, no shard comes back within T windows', () => {
    for (let seed = 0; seed < 15; seed++) {
      const dice = new Dice(seed);
      let state = randomState(dice, { ...randomMix(dice, 30), partitions: 15 });
      const left = new Set<string>();
      for (let round = 0; round < 5; round++) {
        const peers = state.peers.map((peer) => ({
          ...peer,
          weight: dice.of([0, 1, 5, 50]),
          reputation: dice.of([0.6, 1]),
        }));
        const changed = { ...state, peers, now: state.now + HOUR };
        state = checkMoves(changed, planRebalance(changed, { settings: unbounded, salt: salt(seed) }), left);
      }
    }
  });

  test('the peers come nearer to what is wanted of them', () => {
    const dice = new Dice(8);
    const peers = Array.from({ length: 30 }, (_, n) =>
      candidate(n, { capacityBytes: 1e9 * (1 + (n % 5)), freeBytes: 1e9 * (1 + (n % 5)) }),
    );
    const partitions = Array.from({ length: 300 }, (_, n) => ({
      ...{ id: partitionId(n), k: 2, m: 2, shardBytes: 1000, past: [], hashes: ['a', 'b', 'c', 'd'] },
      holders: dice
        .shuffled(peers.slice(0, 24))
        .slice(0, 4)
        .map(({ id }) => id),
    }));
    const state: UpkeepState = {
      ...{
        partitions,
        peers,
        outages: [],
        settings: { ...defaultSettings(2), maxPerRegion: 4, minContinents: 1 },
        now: NOW,
      },
      candidates: peers.map(({ id }) => id),
    };
    const total = 1200 * 1000;
    const weights = peers.reduce((sum, { capacityBytes }) => sum + capacityBytes, 0);
    const end = ours(execute(state, plan(state).steps));
    for (const { id, capacityBytes } of peers) {
      const wanted = (total * capacityBytes) / weights;
      expect(Math.abs(end.get(id)! - wanted)).toBeLessThanOrEqual(Math.max(0.1 * wanted, 1000));
    }
  });

  test('depend on nothing but the arguments', () => {
    for (let seed = 0; seed < 10; seed++) {
      const dice = new Dice(seed);
      const state = randomState(dice, { ...randomMix(dice, 30), partitions: 15 });
      expect(plan(structuredClone(state))).toEqual(plan(state));
    }
  });

  test('of 2 000 peers too', () => {
    const dice = new Dice(3);
    const state = randomState(dice, { peers: 2000, partitions: 20, operators: 50, regions: 6, bad: 0.1 });
    const made = plan(state, { maxBytes: 20 * 2 ** 20 });
    expectSafe(state, made.steps, dice);
    expect(checkMoves(state, made, new Set()).partitions).toHaveLength(state.partitions.length);
    expect(made.moves.length).toBeGreaterThan(10);
  });
});
