import { defaultSettings } from '@holdfast/placement';
import {
  type CopyStep,
  checkPlan,
  type Departing,
  defaultDeparture,
  departurePhase,
  execute,
  planDeparture,
  type Step,
  transferHash,
  type UpkeepState,
  withdrawDeparture,
} from '@holdfast/placement/upkeep';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidate, codeOf, partitionId, peerId, salt } from '../swarm.ts';
import { someOrder } from './naive-run.ts';
import { Dice, HOUR, NOW, randomMix, randomState, withOutages } from './random-state.ts';
import { expectSafe, reachableIn } from './safe-plan.ts';

const copies = (steps: readonly Step[]): CopyStep[] => steps.filter((step) => step.kind === 'copy');

/** Peer 0 has the first shard of three partitions of 2 + 1 with different sizes; peers 4 … 9 have room. */
const bytes = [1000, 2000, 1000];
const state: UpkeepState = {
  partitions: bytes.map((shardBytes, n) => ({
    ...{ id: partitionId(n), k: 2, m: 1, shardBytes, past: [], hashes: ['a', 'b', 'c'] },
    holders: [0, 2 * n + 1, 2 * n + 2].map(peerId),
  })),
  peers: Array.from({ length: 12 }, (_, n) =>
    candidate(n, { freeBytes: 1e6, capacityBytes: 1e7, weight: 1 }),
  ),
  candidates: Array.from({ length: 12 }, (_, n) => peerId(n)),
  outages: [],
  settings: { ...defaultSettings(2), off: ['load'] },
  now: NOW,
};
const settings = { ...defaultDeparture, bytesPerSecond: 1 };
const leaving = (facts: Partial<Departing> = {}): Departing[] => [
  { peer: peerId(0), announcedAt: NOW, leavesAt: NOW + 24 * HOUR, ...facts },
];
const plan = (departing = leaving(), of: Partial<UpkeepState> = {}) =>
  planDeparture({ ...state, ...of }, { departing, settings, salt: salt(1) });

describe('a departure', () => {
  test('follows the timeline', () => {
    const { departures, stranded } = plan();
    const T = NOW + 24 * HOUR;
    expect(stranded).toEqual([]);
    expect(departures).toMatchObject([
      {
        ...{ peer: peerId(0), planAt: T - 12 * HOUR, transfersFrom: T - 6 * HOUR, verifyAt: T },
        ...{ completeAt: T + HOUR, late: false, fits: true, shards: 3, bytes: 4000, stranded: 0 },
      },
    ]);
    expect(departures[0]!.message).toContain(new Date(T + HOUR).toISOString());
    const phase = (at: number, remaining = 0) => departurePhase(departures[0]!, at, remaining);
    expect([NOW, T - 12 * HOUR, T - 6 * HOUR, T, T + HOUR].map((at) => phase(at))).toEqual([
      'announced',
      'planning',
      'transfer',
      'verification',
      'complete',
    ]);
    expect([T - 12 * HOUR, T - 6 * HOUR, T, T + HOUR].map((at) => phase(at - 1, 1))).toEqual([
      'announced',
      'planning',
      'transfer',
      'verification',
    ]);
    expect(phase(T + HOUR, 1)).toBe('serving');
  });

  test('spreads transfers over the time there is, the largest first, and verifies before it releases', () => {
    const T = NOW + 24 * HOUR;
    const { steps } = plan();
    const [from, window] = [T - 6 * HOUR, 6 * HOUR];
    expect(copies(steps).map((copy) => [copy.bytes, copy.notBefore, copy.deadline])).toEqual([
      [2000, from, from + window / 2],
      [1000, from + window / 2, from + (window * 3) / 4],
      [1000, from + (window * 3) / 4, T],
    ]);
    for (const copy of copies(steps)) {
      const verify = steps.find((step) => step.after.includes(copy.id));
      const release = steps.find((step) => step.after.includes(verify!.id));
      expect(verify).toMatchObject({
        kind: 'verify',
        peer: copy.to,
        hash: 'a',
        notBefore: T,
        deadline: T + HOUR,
      });
      expect(release).toMatchObject({ kind: 'release', peer: peerId(0), notBefore: T, deadline: T + HOUR });
      const { partition, index, to } = copy;
      expect(copy.verificationHash).toBe(transferHash({ partition, index, from: peerId(0), to, hash: 'a' }));
    }
    expect(copies(steps)).toHaveLength(3);
  });

  test('moves what is most endangered first, counting on nobody who leaves', () => {
    const partitions = state.partitions.map((p, n) =>
      n === 2 ? { ...p, holders: [peerId(0), null, peerId(6)] } : p,
    );
    const first = (departing: Departing[], of: Partial<UpkeepState>) =>
      copies(plan(departing, of).steps)[0]!.partition;
    expect(first(leaving(), { partitions })).toBe(partitionId(2));
    const both = [...leaving(), ...leaving({ peer: peerId(1) })];
    expect(first(both, {})).toBe(partitionId(0));
    const away = withOutages(state, [{ peer: peerId(5), since: NOW }]);
    expect(first(leaving(), away)).toBe(partitionId(2));
  });

  test('that is announced late has what time is left, and serves longer if that is too little', () => {
    const soon = plan(leaving({ leavesAt: NOW + 2 * HOUR }));
    expect(soon.departures).toMatchObject([
      { planAt: NOW, transfersFrom: NOW, verifyAt: NOW + 2 * HOUR, late: true, fits: true },
    ]);
    expect(copies(soon.steps).at(-1)!.deadline).toBe(NOW + 2 * HOUR);
    const now = plan(leaving({ leavesAt: NOW + 1000 }));
    // 4 000 bytes at one a second.
    expect(now.departures).toMatchObject([
      { verifyAt: NOW + 4_000_000, completeAt: NOW + 4_000_000 + HOUR, fits: false },
    ]);
    expect(now.departures[0]!.message).toMatch(/longer.*announced late/);
    expect(copies(now.steps).map(({ deadline }) => deadline! - NOW)).toEqual([
      2_000_000, 3_000_000, 4_000_000,
    ]);
    const twice = {
      departing: leaving({ leavesAt: NOW }),
      settings: { ...settings, bytesPerSecond: 2 },
      salt: salt(1),
    };
    expect(planDeparture(state, twice).departures).toMatchObject([{ verifyAt: NOW + 2_000_000 }]);
    const overdue = plan(leaving({ announcedAt: NOW - 30 * HOUR, leavesAt: NOW - HOUR }));
    expect(overdue.departures).toMatchObject([
      { transfersFrom: NOW, verifyAt: NOW + 4_000_000, fits: false, late: false },
    ]);
    const exactly = plan(leaving({ announcedAt: NOW, leavesAt: NOW + 24 * HOUR - 1 }));
    expect(exactly.departures).toMatchObject([{ late: true, fits: true }]);
  });

  test('leaves shards where they are that can go nowhere, and says why', () => {
    const nobody = plan(leaving(), { candidates: [0, 1, 2].map(peerId) });
    expect(nobody.stranded.map(({ partition }) => partition)).toEqual([partitionId(0)]);
    expect(nobody.stranded[0]).toMatchObject({ peer: peerId(0), index: 0, rule: 'one-shard-per-peer' });
    expect(nobody.stranded[0]!.reason).toContain(partitionId(0));
    expect(nobody.stranded[0]!.hint).toBeDefined();
    expect(nobody.departures).toMatchObject([{ shards: 2, stranded: 1 }]);
    expect(nobody.departures[0]!.message).toMatch(/cannot leave: 1 /);
    const silent = plan(leaving(), withOutages(state, [{ peer: peerId(0), since: NOW }]));
    expect(silent.stranded.map(({ rule }) => rule)).toEqual(['unreachable', 'unreachable', 'unreachable']);
    expect(silent.steps).toEqual([]);
  });

  test('reports which soft rules a move gives up', () => {
    const peers = state.peers.map((peer) => ({ ...peer, region: 'eu/de/x' }));
    const { relaxed, steps } = plan(leaving(), { peers });
    expect(relaxed.map(({ partition, to }) => [partition, to])).toEqual(
      copies(steps).map((copy) => [copy.partition, copy.to]),
    );
    expect(relaxed[0]!.relaxations.map(({ rule }) => rule)).toEqual(['continent']);
    expect(plan().relaxed).toEqual([]);
    // Who leaves makes room in its region.
    const region = (n: number): string => (n === 2 ? 'na/us/x' : 'eu/de/x');
    const crowded = {
      settings: { ...state.settings, maxPerRegion: 2 },
      partitions: state.partitions.slice(0, 1),
    };
    const inRegion = state.peers.map((peer, n) => ({ ...peer, region: region(n) }));
    expect(plan(leaving(), { ...crowded, peers: inRegion }).relaxed).toEqual([]);
  });

  test.each<[string, Partial<Departing>, Partial<typeof settings>]>([
    ['leaves before it says so', { leavesAt: NOW - 1 }, {}],
    ['leaves at no time', { leavesAt: Number.NaN }, {}],
    ['is announced at no time', { announcedAt: Number.NaN }, {}],
    ['sends nothing', {}, { bytesPerSecond: 0 }],
    ['transfers before it plans', {}, { planMs: HOUR }],
    ['plans before it is announced', {}, { announceMs: HOUR }],
    ['completes before it verifies', {}, { completeMs: -1 }],
    ['transfers after it left', {}, { transferMs: -1 }],
  ])('that %s is refused', (_, facts, other) => {
    const request = { departing: leaving(facts), settings: { ...settings, ...other }, salt: salt(1) };
    expect(codeOf(() => planDeparture(state, request))).toBe('USAGE');
  });

  test('may be as short as can be', () => {
    const atOnce = { announceMs: 0, planMs: 0, transferMs: 0, completeMs: 0, bytesPerSecond: 1 };
    const request = { departing: leaving({ leavesAt: NOW }), settings: atOnce, salt: salt(1) };
    expect(planDeparture(state, request).departures).toMatchObject([
      {
        planAt: NOW,
        transfersFrom: NOW,
        verifyAt: NOW + 4_000_000,
        completeAt: NOW + 4_000_000,
        late: false,
      },
    ]);
  });

  test('of one peer twice, or from a senseless state, is refused', () => {
    expect(codeOf(() => plan([...leaving(), ...leaving()]))).toBe('USAGE');
    expect(codeOf(() => plan(leaving(), { now: Number.NaN }))).toBe('USAGE');
  });
});

function randomDeparture(seed: number, most?: number) {
  const dice = new Dice(seed);
  const random = randomState(dice, randomMix(dice, most));
  const others = dice.shuffled(random.peers);
  const swarm = dice.chance(0.3) ? withOutages(random, [{ peer: others[0]!.id, since: NOW }]) : random;
  const departing = others.slice(0, dice.whole(1, 3)).map(({ id }) => {
    const announcedAt = NOW - dice.whole(0, 30) * HOUR;
    return { peer: id, announcedAt, leavesAt: announcedAt + dice.whole(0, 30) * HOUR };
  });
  return { dice, swarm, departing, plan: planDeparture(swarm, { departing, salt: salt(seed) }) };
}

/** For each shard of a departing peer a transfer or a reason; nothing to a departing peer; and all of it safe. */
function checkDeparture(seed: number, most?: number): number {
  const { dice, swarm, departing, plan: made } = randomDeparture(seed, most);
  const leavers = new Set(departing.map(({ peer }) => peer));
  const away = new Set(swarm.outages.map(({ peer }) => peer));
  expectSafe(swarm, made.steps, dice);
  const shards = swarm.partitions.flatMap(({ id, holders }) =>
    holders.flatMap((peer, index) => (peer !== null && leavers.has(peer) ? [`${id} ${index} ${peer}`] : [])),
  );
  const answered = [
    ...copies(made.steps).map(({ partition, index, from }) => `${partition} ${index} ${from}`),
    ...made.stranded.map(({ partition, index, peer }) => `${partition} ${index} ${peer}`),
  ];
  expect(answered.sort()).toEqual(shards.sort());
  for (const { from, to, notBefore, deadline, bytes: size } of copies(made.steps)) {
    expect(leavers.has(to) || away.has(from)).toBe(false);
    expect(deadline! - notBefore!).toBeGreaterThanOrEqual(
      (size / defaultDeparture.bytesPerSecond) * 1000 - 1,
    );
    expect(notBefore!).toBeGreaterThanOrEqual(NOW);
  }
  for (const departure of made.departures) {
    const own = copies(made.steps).filter(({ from }) => from === departure.peer);
    for (const [i, { notBefore }] of own.entries()) if (i > 0) expect(notBefore).toBe(own[i - 1]!.deadline);
    if (own.length > 0) expect(own.at(-1)!.deadline).toBe(departure.verifyAt);
    expect(departure.fits).toBe(departure.verifyAt === departure.leavesAt);
  }
  // Whoever was refused would be refused still: at the end there is nobody to whom the shard could go.
  const done = execute(swarm, made.steps);
  const peers = done.peers.map((peer, i) => ({
    ...peer,
    freeBytes: Math.min(peer.freeBytes, swarm.peers[i]!.freeBytes),
  }));
  for (const { partition, index, peer: from, rule } of made.stranded) {
    if (rule === 'unreachable') continue;
    for (const { id: to, reputation = 1 } of peers) {
      if (leavers.has(to) || reputation < swarm.settings.reputationFloor) continue;
      const steps: Step[] = [
        { id: 0, partition, index, after: [], kind: 'copy', from, to, bytes: 0, verificationHash: '' },
      ];
      expect(checkPlan({ ...done, peers }, steps)).not.toEqual([]);
    }
  }
  return copies(made.steps).length;
}

describe('over random swarms', () => {
  test('departures of one to three peers are planned whole, safe in any order and wherever they stop', () => {
    let moved = 0;
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        moved += checkDeparture(seed);
      }),
      { numRuns: 300, seed: 4 },
    );
    expect(moved).toBeGreaterThan(200);
  });

  test('of 2 000 peers too', () => {
    for (const seed of [1, 2]) {
      const dice = new Dice(seed);
      const swarm = randomState(dice, { peers: 2000, partitions: 60, operators: 50, regions: 6, bad: 0.1 });
      const departing = swarm.peers.slice(0, 200).map(({ id }) => leaving({ peer: id })[0]!);
      const { steps } = planDeparture(swarm, { departing, salt: salt(seed) });
      expectSafe(swarm, steps, dice);
      expect(copies(steps).length).toBeGreaterThan(20);
    }
  });

  test('depend on nothing but the arguments, and take the order of peers for nothing', () => {
    for (let seed = 0; seed < 30; seed++) {
      const { dice, swarm, departing, plan: made } = randomDeparture(seed, 40);
      const shuffled = {
        ...swarm,
        peers: dice.shuffled(swarm.peers),
        candidates: dice.shuffled(swarm.candidates),
        partitions: dice.shuffled(swarm.partitions),
      };
      expect(planDeparture(shuffled, { departing, salt: salt(seed) })).toEqual(made);
    }
  });
});

describe('a departure taken back', () => {
  const { steps } = plan();
  const [copy, verify, release] = steps as [Step, Step, Step];
  const back = (begun: Step[], done: Step[], staying = new Set([peerId(0)])) => {
    const progress = { begun: new Set(begun.map(({ id }) => id)), done: new Set(done.map(({ id }) => id)) };
    return withdrawDeparture(state, { plan: steps, progress, staying });
  };
  const first = [copy.id, verify.id, release.id];
  const within = (ids: readonly number[]): number[] => ids.filter((id) => first.includes(id));

  test('before anything began leaves nothing to do', () => {
    const undo = back([], []);
    expect([undo.kept, undo.dropped.length, undo.steps]).toEqual([[], 9, []]);
  });

  test('while a shard is copied, or verified, keeps it where it was', () => {
    const undone = [
      { kind: 'verify', peer: peerId(0), hash: 'a' },
      { kind: 'release', peer: (copy as CopyStep).to },
    ];
    expect(back([copy], []).steps).toMatchObject(undone);
    expect(within(back([copy], []).dropped)).toEqual(first);
    expect(back([verify], [copy]).steps).toMatchObject(undone);
    expect(within(back([verify], [copy]).kept)).toEqual([copy.id]);
    expect(back([], [copy, verify]).steps).toMatchObject(undone);
    expect(within(back([], [copy, verify]).dropped)).toEqual([release.id]);
    expect(back([], [copy, verify]).steps[1]!.after).toEqual([back([], [copy, verify]).steps[0]!.id]);
  });

  test('finishes what was told to be deleted', () => {
    for (const undo of [back([release], [copy, verify]), back([], [copy, verify, release])]) {
      expect(undo.steps).toEqual([]);
      expect(within(undo.kept)).toEqual(first);
    }
  });

  test('is of the peers that stay only', () => {
    const undo = back([copy], [], new Set([peerId(9)]));
    expect([undo.kept.length, undo.dropped, undo.steps]).toEqual([9, [], []]);
  });

  test('refuses a progress that cannot be', () => {
    expect(codeOf(() => back([verify], []))).toBe('USAGE');
    expect(codeOf(() => back([], [release]))).toBe('USAGE');
    expect(codeOf(() => back([{ ...copy, id: 99 }], []))).toBe('USAGE');
    const progress = { begun: new Set([copy.id]), done: new Set<number>() };
    const staying = new Set([peerId(0)]);
    expect(
      codeOf(() => withdrawDeparture({ ...state, partitions: [] }, { plan: steps, progress, staying })),
    ).toBe('USAGE');
    expect(
      codeOf(() =>
        withdrawDeparture(state, {
          plan: [verify],
          progress: { begun: new Set(), done: new Set() },
          staying,
        }),
      ),
    ).toBe('USAGE');
    expect(
      codeOf(() => withdrawDeparture({ ...state, now: Number.NaN }, { plan: [], progress, staying })),
    ).toBe('USAGE');
  });

  test('at any point loses nothing, and what goes on with it is safe', () => {
    let [undone, finished] = [0, 0];
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { dice, swarm, departing, plan: made } = randomDeparture(seed, 60);
        const staying = new Set(departing.map(({ peer }) => peer).filter(() => dice.chance(0.7)));
        const order = someOrder(made.steps, dice);
        const done = order.slice(0, dice.whole(0, order.length));
        const ids = new Set(done.map(({ id }) => id));
        const begun = order.filter((step) => step.after.every((id) => ids.has(id)) && dice.chance(0.3));
        const progress = { begun: new Set(begun.map(({ id }) => id)), done: ids };
        const undo = withdrawDeparture(swarm, { plan: made.steps, progress, staying });
        expect([...undo.kept, ...undo.dropped].sort((a, b) => a - b)).toEqual(made.steps.map(({ id }) => id));
        for (const id of ids) expect(undo.kept).toContain(id);

        // Steps that have begun count as half done: a copy that may have arrived, a deletion that may have happened.
        const kept = new Set(undo.kept);
        const half = begun.filter((step) => !ids.has(step.id) && (step.kind === 'copy' || kept.has(step.id)));
        const stopped = execute(swarm, [...done, ...half]);
        expectSafe(stopped, undo.steps, dice);
        const rest = made.steps.filter(
          (step) => kept.has(step.id) && !ids.has(step.id) && !half.includes(step),
        );
        const end = execute(execute(stopped, undo.steps), rest);
        const before = reachableIn(swarm);
        for (const [id, indices] of reachableIn(end)) expect(indices).toEqual(before.get(id));
        for (const { id, holders } of end.partitions) {
          const old = swarm.partitions.find((one) => one.id === id)!;
          for (const [index, peer] of old.holders.entries()) {
            const stays = peer !== null && staying.has(peer);
            const deleted = made.steps.some(
              (s) =>
                s.kind === 'release' &&
                s.partition === id &&
                s.index === index &&
                (ids.has(s.id) || progress.begun.has(s.id)),
            );
            if (stays && !deleted) expect(holders[index]).toBe(peer);
            if (stays && deleted) expect(holders[index]).not.toBe(peer);
          }
        }
        undone += undo.steps.length;
        finished += rest.length;
      }),
      { numRuns: 300, seed: 4 },
    );
    expect(Math.min(undone, finished)).toBeGreaterThan(50);
  });
});
