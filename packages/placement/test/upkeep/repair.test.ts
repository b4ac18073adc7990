import { defaultSettings } from '@holdfast/placement';
import {
  absenceOf,
  checkPlan,
  defaultRepair,
  execute,
  exposureOf,
  type MakeStep,
  type Outage,
  type PartitionState,
  planRepair,
  type RepairSettings,
  type Step,
  type UpkeepState,
} from '@holdfast/placement/upkeep';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidate, codeOf, partitionId, peerId, salt } from '../swarm.ts';
import { Dice, NOW, randomMix, randomState, withOutages } from './random-state.ts';
import { expectSafe, reachableIn } from './safe-plan.ts';

const makes = (steps: readonly Step[]): MakeStep[] => steps.filter((step) => step.kind === 'make');
const gone = (n: number): Outage => ({ peer: peerId(n), since: NOW, gone: true });
const silent = (n: number, ms: number): Outage => ({ peer: peerId(n), since: NOW - ms });

/** 4 + 4 at peers 0 … 7, one in each operator and region; 8 … 19 have room. */
const partition: PartitionState = {
  ...{ id: partitionId(1), k: 4, m: 4, shardBytes: 100, past: [] },
  holders: [0, 1, 2, 3, 4, 5, 6, 7].map(peerId),
  hashes: Array.from({ length: 8 }, (_, i) => `h${i}`),
};
const state: UpkeepState = {
  partitions: [partition],
  peers: Array.from({ length: 20 }, (_, n) => candidate(n, { region: `c${n % 3}/r${n}/x` })),
  candidates: Array.from({ length: 20 }, (_, n) => peerId(n)),
  outages: [],
  settings: defaultSettings(4),
  now: NOW,
};
const settings: RepairSettings = { ...defaultRepair, bytesPerSecond: 1 };
const plan = (outages: Outage[], of: Partial<UpkeepState> = {}, other: Partial<RepairSettings> = {}) =>
  planRepair(withOutages({ ...state, ...of }, outages), {
    settings: { ...settings, ...other },
    salt: salt(1),
  });
const LONG = settings.graceMs;
const MINUTES = settings.detectionMs;

test('a peer is suspect, then unreachable, then gone', () => {
  const after = (ms: number, facts = {}) => absenceOf({ ...silent(0, ms), ...facts }, settings, NOW);
  expect([0, MINUTES - 1, MINUTES, LONG - 1, LONG].map((ms) => after(ms))).toEqual([
    'suspect',
    'suspect',
    'unreachable',
    'unreachable',
    'gone',
  ]);
  expect(after(0, { gone: true })).toBe('gone');
});

describe('a repair', () => {
  test('has nothing to do while everybody answers, or is only suspected', () => {
    for (const made of [plan([]), plan([silent(0, 0), silent(1, MINUTES - 1)])]) {
      expect(made).toEqual({
        ...{ steps: [], repairs: [], waiting: [], lost: [], refused: [], relaxed: [] },
        estimate: { bytes: 0, ms: 0, met: true },
      });
    }
  });

  test('waits for the unreachable while there is margin, and makes again what the gone had', () => {
    const { waiting, repairs, steps } = plan([silent(0, MINUTES), gone(1)]);
    expect(waiting).toEqual([
      {
        partition: partition.id,
        margin: 2,
        marginAfterWorst: 1,
        missing: [0],
        startsAt: NOW - MINUTES + LONG,
      },
    ]);
    expect(repairs).toMatchObject([{ margin: 2, missing: [0, 1], made: [1] }]);
    expect(steps.map(({ kind, index }) => [kind, index])).toEqual([
      ['make', 1],
      ['verify', 1],
      ['write-off', 1],
    ]);
    expect(steps[2]).toMatchObject({ peer: peerId(1), after: [1] });
    expect(plan([silent(0, LONG)]).repairs).toMatchObject([{ made: [0] }]);
    expect(plan([silent(0, LONG - 1)]).waiting).toMatchObject([{ startsAt: NOW + 1 }]);
    expect(plan([silent(0, MINUTES), silent(1, 2 * MINUTES)]).waiting).toMatchObject([
      { missing: [0, 1], startsAt: NOW - 2 * MINUTES + LONG },
    ]);
  });

  test('starts at once, and of everything missing, where the margin is at the threshold', () => {
    const outages = [0, 1, 2].map((n) => silent(n, MINUTES));
    const { repairs, waiting, steps } = plan(outages);
    expect(waiting).toEqual([]);
    expect(repairs).toMatchObject([{ margin: 1, made: [0, 1, 2], readBytes: 400, writtenBytes: 300 }]);
    expect(new Set(makes(steps).map(({ to }) => to)).size).toBe(3);
    expect(plan(outages, {}, { repairMargin: 0 }).repairs).toEqual([]);
    expect(plan(outages.slice(1), {}, { repairMargin: 2 }).repairs).toMatchObject([{ made: [1, 2] }]);
  });

  test('makes a shard that nobody has, and writes nobody off for it', () => {
    const holders = [null, ...partition.holders.slice(1)];
    const { steps, repairs } = plan([], { partitions: [{ ...partition, holders }] });
    expect(repairs).toMatchObject([{ margin: 3, made: [0] }]);
    expect(steps.map(({ kind }) => kind)).toEqual(['make', 'verify']);
  });

  test('reads k shards, of peers it has read least of', () => {
    const holders = [0, ...[1, 2, 3, 4, 5, 6, 7].map((n) => n)].map(peerId);
    const other = { ...partition, id: partitionId(2), holders };
    const { steps } = plan([gone(0)], { partitions: [partition, other] });
    const [first, second] = makes(steps);
    expect(first!.sources.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
    expect(second!.sources.map(({ index }) => index)).toEqual([5, 6, 7, 1]);
    expect(first).toMatchObject({ helpers: 0, bytes: 100 });
  });

  test('takes parts of a Clay code’s helpers for one shard, and whole shards for more', () => {
    const partitions = [{ ...partition, helpers: 7 }];
    const one = plan([gone(0)], { partitions });
    expect(makes(one.steps)).toMatchObject([{ helpers: 7 }]);
    expect(makes(one.steps)[0]!.sources.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(one.repairs).toMatchObject([{ readBytes: (7 * 100) / 4, writtenBytes: 100 }]);
    expect(makes(plan([gone(0), gone(1)], { partitions }).steps)).toMatchObject([
      { helpers: 0 },
      { helpers: 0 },
    ]);
    const suspected = plan([gone(0), silent(1, 0)], { partitions });
    expect(makes(suspected.steps)).toMatchObject([{ helpers: 0 }]);
    expect(
      makes(plan([gone(0), silent(1, 0)], { partitions: [{ ...partition, helpers: 6 }] }).steps),
    ).toMatchObject([{ helpers: 6 }]);
  });

  test('neither reads from nor writes to whoever is only suspected', () => {
    const { steps } = plan([gone(0), ...[1, 8, 9, 10].map((n) => silent(n, 0))]);
    const [make] = makes(steps);
    expect(make!.sources.map(({ index }) => index)).toEqual([2, 3, 4, 5]);
    const unsure = plan([gone(0), ...[1, 2, 3, 4].map((n) => silent(n, 0))]);
    expect(unsure.refused).toMatchObject([{ index: 0, rule: 'too-few-readable' }]);
    expect([unsure.steps, unsure.lost, unsure.repairs]).toEqual([[], [], []]);
  });

  test('reports what is lost for now, and plans nothing for it', () => {
    const { lost, steps, waiting } = plan([0, 1, 2, 3, 4].map(gone));
    expect(lost).toMatchObject([{ partition: partition.id, margin: -1, missing: [0, 1, 2, 3, 4] }]);
    expect([steps, waiting]).toEqual([[], []]);
    expect(plan([0, 1, 2, 3].map(gone)).repairs).toMatchObject([{ margin: 0 }]);
  });

  test('says what cannot be placed, and makes the rest', () => {
    const candidates = [1, 2, 3, 4, 5, 6, 7, 8].map(peerId);
    const { refused, repairs } = plan([gone(0), gone(1)], { candidates });
    expect(refused).toMatchObject([{ index: 1, rule: 'one-shard-per-peer' }]);
    expect(repairs).toMatchObject([{ made: [0], writtenBytes: 100 }]);
    const none = plan([gone(0)], { candidates: candidates.slice(0, -1) });
    expect(none.refused).toMatchObject([{ index: 0 }]);
    expect([none.repairs, none.estimate.bytes]).toEqual([[], 0]);
  });

  test('comes to the partitions nearest to being lost first', () => {
    const holders = (...peers: number[]) => peers.map(peerId);
    const partitions = [
      { ...partition, id: partitionId(1), holders: holders(0, 2, 3, 4, 5, 6, 7, 8) },
      { ...partition, id: partitionId(2), holders: holders(0, 1, 3, 4, 5, 6, 7, 8) },
      { ...partition, id: partitionId(3), holders: holders(0, 2, 3, 4, 5, 6, 7, 9) },
      { ...partition, id: partitionId(4), holders: holders(1, 0, 3, 4, 5, 6, 7, 9) },
    ];
    const order = (peers: UpkeepState['peers']) =>
      plan([gone(0), gone(1)], { partitions, peers }).repairs.map((r) => r.partition);
    expect(order(state.peers)).toEqual([2, 4, 1, 3].map(partitionId));
    const same = (field: object) =>
      state.peers.map((peer, n) => (n === 9 || n === 7 ? { ...peer, ...field } : peer));
    for (const field of [{ operator: 'one' }, { region: 'c1/r1/x' }, { failureDomains: ['one'] }]) {
      expect(order(same(field))).toEqual([4, 2, 3, 1].map(partitionId));
    }
  });

  test('estimates how long it takes, and whether that is within the window', () => {
    const outages = [gone(0), gone(1)];
    const made = plan(outages);
    // 4 shards of 100 bytes read, 2 written, at a byte a second.
    expect(made.estimate).toEqual({ bytes: 600, ms: 600_000, met: true });
    expect(made.repairs).toMatchObject([{ doneAfterMs: 600_000 }]);
    expect(plan(outages, {}, { bytesPerSecond: 2 }).estimate.ms).toBe(300_000);
    expect(plan(outages, {}, { recoveryMs: 599_999 }).estimate.met).toBe(false);
    expect(plan(outages, {}, { recoveryMs: 600_000 }).estimate.met).toBe(true);
    for (const step of made.steps) expect(step.deadline).toBe(NOW + settings.recoveryMs);
  });

  test('reports which soft rules it gives up', () => {
    const peers = state.peers.map((peer) => ({ ...peer, region: 'eu/de/x' }));
    expect(plan([gone(0)], { peers }).relaxed[0]!.relaxations.map(({ rule }) => rule)).toEqual([
      'region',
      'continent',
    ]);
  });

  test.each<[string, Partial<RepairSettings>]>([
    ['detects in no time', { detectionMs: -1 }],
    ['is gone before it is unreachable', { graceMs: MINUTES - 1 }],
    ['recovers in no time', { recoveryMs: Number.NaN }],
    ['reads nothing', { bytesPerSecond: 0 }],
    ['has half a margin', { repairMargin: 0.5 }],
    ['waits until it is lost', { repairMargin: -1 }],
  ])('that %s is refused', (_, other) => {
    expect(codeOf(() => plan([], {}, other))).toBe('USAGE');
  });

  test('from a senseless state is refused', () => {
    expect(codeOf(() => plan([], { now: Number.NaN }))).toBe('USAGE');
  });
});

describe('over random swarms', () => {
  const check = (seed: number, swarm: UpkeepState, dice: Dice): number => {
    const away = dice.shuffled(swarm.peers).slice(0, dice.whole(1, Math.max(1, swarm.peers.length / 4)));
    const outages = away.map(({ id }) => ({
      ...{ peer: id, since: NOW - dice.of([0, MINUTES, 2 * MINUTES, LONG, 3 * LONG]) },
      ...(dice.chance(0.3) ? { gone: true } : {}),
    }));
    const broken = withOutages(swarm, outages);
    const made = planRepair(broken, { salt: salt(seed) });
    expectSafe(broken, made.steps, dice);
    const lostPeers = new Set(
      outages.filter((outage) => absenceOf(outage, defaultRepair, NOW) !== 'suspect').map(({ peer }) => peer),
    );
    const facts = new Map(broken.peers.map((peer) => [peer.id, peer]));
    const margins = broken.partitions.map((one) => ({
      one,
      ...exposureOf(one, lostPeers, (peer) => facts.get(peer)),
      missing: one.holders.flatMap((peer, i) => (peer === null || lostPeers.has(peer) ? [i] : [])),
    }));
    // Each missing shard is answered for: made, refused, waited for, or lost for now.
    const answers = [
      ...makes(made.steps).map(({ partition: id, index }) => `${id} ${index}`),
      ...made.refused.map(({ partition: id, index }) => `${id} ${index}`),
      ...made.waiting.flatMap(({ partition: id, missing }) => missing.map((index) => `${id} ${index}`)),
      ...made.lost.flatMap(({ partition: id, missing }) => missing.map((index) => `${id} ${index}`)),
    ];
    expect(answers.sort()).toEqual(
      margins.flatMap(({ one, missing }) => missing.map((i) => `${one.id} ${i}`)).sort(),
    );
    expect(made.lost.map(({ margin }) => margin).every((margin) => margin < 0)).toBe(true);
    const order = made.repairs.map(({ margin, marginAfterWorst }) => [margin, marginAfterWorst] as const);
    for (const [i, [margin, worst]] of order.entries()) {
      const [before, beforeWorst] = order[i - 1] ?? [margin, worst];
      expect(before < margin || (before === margin && beforeWorst <= worst)).toBe(true);
    }
    for (const { margin, startsAt } of made.waiting) {
      expect(margin).toBeGreaterThan(defaultRepair.repairMargin);
      expect(startsAt).toBeGreaterThan(NOW);
    }
    // Afterwards all that was made is there, besides what was there before.
    const before = reachableIn(broken);
    const end = execute(broken, made.steps);
    for (const [id, indices] of reachableIn(end)) {
      const own = makes(made.steps)
        .filter((step) => step.partition === id)
        .map(({ index }) => index);
      expect(indices).toEqual([...new Set([...before.get(id)!, ...own])].sort((a, b) => a - b));
    }
    expect(makes(planRepair(end, { salt: salt(seed) }).steps)).toEqual([]);
    return makes(made.steps).length;
  };

  test('every missing shard is answered for, safely in any order', () => {
    let made = 0;
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const dice = new Dice(seed);
        made += check(seed, randomState(dice, randomMix(dice)), dice);
      }),
      { numRuns: 250, seed: 5 },
    );
    expect(made).toBeGreaterThan(200);
  });

  test('of 2 000 peers too', () => {
    const dice = new Dice(3);
    const swarm = randomState(dice, { peers: 2000, partitions: 60, operators: 50, regions: 6, bad: 0.1 });
    expect(check(3, swarm, dice)).toBeGreaterThan(10);
  });

  test('plans that are done in part are planned on from there', () => {
    for (let seed = 0; seed < 60; seed++) {
      const dice = new Dice(seed);
      const swarm = randomState(dice, randomMix(dice, 40));
      const broken = withOutages(swarm, [{ peer: swarm.peers[0]!.id, since: NOW, gone: true }]);
      const { steps } = planRepair(broken, { salt: salt(seed) });
      const stopped = execute(broken, steps.slice(0, dice.whole(0, steps.length)));
      expect(checkPlan(stopped, planRepair(stopped, { salt: salt(seed) }).steps)).toEqual([]);
    }
  });
});
