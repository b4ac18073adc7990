import { Assigner, assignStripe, type Candidate, defaultRules, weightOf } from '@holdfast/placement';
import {
  type NoiseSource,
  noisySteps,
  openPrivacyAccount,
  type PrivacyAccount,
  type PrivacySettings,
  privacySpent,
  privateCandidates,
} from '@holdfast/placement/privacy';
import { seededRandom } from '@holdfast/testing/seeded-random';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { worstExcess } from './histogram.ts';
import { candidate, codeOf, partitionId, salt } from './swarm.ts';

const key = new Uint8Array(32).fill(5);
const settings: PrivacySettings = {
  mechanism: 'laplace',
  epsilon: 4,
  budget: 8,
  fullWeight: 100,
  gridSteps: 1000,
};
const swarm = (weights: readonly number[]): Candidate[] =>
  weights.map((weight, n) => candidate(n, { weight, region: `c${n % 3}/r${n}/site` }));
const weightsOf = (candidates: readonly Candidate[]): (number | undefined)[] =>
  candidates.map(({ weight }) => weight);
const first = openPrivacyAccount(1);

const make = (
  candidates: readonly Candidate[],
  {
    account = first,
    epoch = 1,
    refresh = false,
    noise = { key } as NoiseSource,
    as = settings,
  }: {
    account?: PrivacyAccount;
    epoch?: number;
    refresh?: boolean;
    noise?: NoiseSource;
    as?: PrivacySettings;
  } = {},
) => privateCandidates({ candidates, settings: as, epoch: { number: epoch }, account, noise, refresh });

test('all facts but the weight stay, and weights are steps of the grid', () => {
  const candidates = swarm([0, 1, 50, 100, 1e9]);
  const made = make(candidates).candidates;
  expect(made.map(({ weight: _, ...facts }) => facts)).toEqual(
    candidates.map(({ weight: _, ...facts }) => facts),
  );
  for (const weight of weightsOf(made)) {
    expect(Number.isInteger(weight)).toBe(true);
    expect(weight).toBeGreaterThanOrEqual(1);
    expect(weight).toBeLessThanOrEqual(1000);
  }
});

test('key and epoch decide; another of either gives other weights', () => {
  const candidates = swarm(Array(20).fill(50));
  const base = weightsOf(make(candidates).candidates);
  expect(weightsOf(make(candidates).candidates)).toEqual(base);
  expect(weightsOf(make([...candidates].reverse()).candidates).reverse()).toEqual(base);
  expect(weightsOf(make(candidates, { epoch: 2 }).candidates)).not.toEqual(base);
  const other = { key: new Uint8Array(32).fill(6) };
  expect(weightsOf(make(candidates, { noise: other }).candidates)).not.toEqual(base);
  // The same weight, but not the same noise for everybody.
  expect(new Set(base).size).toBeGreaterThan(10);
});

test('an auditor with the key finds every released weight again', () => {
  const candidates = swarm([3, 20, 77, 100]);
  const { account, candidates: made } = make(candidates, {
    account: make(candidates).account,
    refresh: true,
  });
  const { number, terms, weights } = account.release!;
  expect(number).toBe(2);
  for (const [i, peer] of candidates.entries()) {
    const occasion = { epoch: 1, release: number };
    const steps = noisySteps({ peer: peer.id, weight: weightOf(peer), terms, occasion, noise: { key } });
    expect(weights[i]).toEqual({ peer: peer.id, steps });
    expect(made[i]!.weight).toBe(steps);
  }
});

test('a weight stays through the epoch, whatever becomes of the facts, and costs nothing more', () => {
  const { account, candidates } = make(swarm([10, 50, 90]));
  expect(privacySpent(account)).toBe(4);
  const later = make(swarm([90, 1, 0]), { account });
  expect(weightsOf(later.candidates)).toEqual(weightsOf(candidates));
  expect(later.account).toEqual(account);
  const without = make(swarm([90, 1]), { account });
  expect(weightsOf(without.candidates)).toEqual(weightsOf(candidates).slice(0, 2));
  // Who was away for a while finds its old weight again.
  expect(weightsOf(make(swarm([9, 9, 9]), { account: without.account }).candidates)).toEqual(
    weightsOf(candidates),
  );
});

test('who joins later gets a weight of its own, which is not charged to the others', () => {
  const { account } = make(swarm([10, 50]));
  const joined = make(swarm([10, 50, 30]), { account });
  expect(privacySpent(joined.account)).toBe(4);
  expect(joined.account.release!.weights.length).toBe(3);
  expect(weightsOf(joined.candidates)).toEqual(weightsOf(make(swarm([10, 50, 30])).candidates));
});

test('new noise within the epoch is asked for, or follows other settings, and is charged', () => {
  const candidates = swarm(Array(10).fill(50));
  const { account, candidates: before } = make(candidates);
  const again = make(candidates, { account, refresh: true });
  expect(privacySpent(again.account)).toBe(8);
  expect(again.account.release!.number).toBe(2);
  expect(weightsOf(again.candidates)).not.toEqual(weightsOf(before));
  expect(codeOf(() => make(candidates, { account: again.account, refresh: true }))).toBe('PLACEMENT_REFUSED');
  // And free once more as long as nothing new is asked for.
  expect(make(candidates, { account: again.account }).account).toEqual(again.account);
  for (const change of [{ epsilon: 3 }, { gridSteps: 500 }, { fullWeight: 90 }]) {
    const other = make(candidates, { account, as: { ...settings, ...change } });
    expect(privacySpent(other.account)).toBe(4 + (change.epsilon ?? 4));
    expect(other.account.release!.number).toBe(2);
  }
  const raised = make(candidates, { account, as: { ...settings, budget: 9 } });
  expect(raised.account).toEqual(account);
});

test('a new epoch begins with new noise and nothing spent; one that is over is refused', () => {
  const candidates = swarm(Array(10).fill(50));
  const { account, candidates: before } = make(candidates);
  const next = make(candidates, { account, epoch: 2 });
  expect(privacySpent(next.account)).toBe(4);
  expect(next.account.epoch).toBe(2);
  expect(weightsOf(next.candidates)).not.toEqual(weightsOf(before));
  expect(codeOf(() => make(candidates, { account: next.account, epoch: 1 }))).toBe('PLACEMENT_REFUSED');
});

test('nobody to be chosen, nothing to be charged', () => {
  expect(make([])).toEqual({ candidates: [], account: first });
});

test('noise by chance differs from call to call, and is kept in the account', () => {
  const candidates = swarm(Array(10).fill(50));
  const noise = { random: seededRandom('noise') };
  const one = make(candidates, { noise });
  expect(weightsOf(make(candidates, { noise }).candidates)).not.toEqual(weightsOf(one.candidates));
  expect(weightsOf(make(candidates, { noise, account: one.account }).candidates)).toEqual(
    weightsOf(one.candidates),
  );
});

test('accounts survive being stored as JSON', () => {
  const { account, candidates } = make(swarm([1, 50]));
  const stored = JSON.parse(JSON.stringify(account));
  expect(weightsOf(make(swarm([7, 7]), { account: stored }).candidates)).toEqual(weightsOf(candidates));
});

test('senseless input is refused by name', () => {
  const candidates = swarm([1, 2]);
  expect(codeOf(() => make(candidates, { noise: { key: new Uint8Array(31) } }))).toBe('USAGE');
  expect(codeOf(() => make([candidates[0]!, candidates[0]!]))).toBe('USAGE');
  expect(codeOf(() => make(swarm([Number.NaN])))).toBe('USAGE');
  expect(codeOf(() => make(candidates, { as: { ...settings, epsilon: 0 } }))).toBe('USAGE');
});

test('load still grows with weight', () => {
  const levels = [5, 35, 65, 95];
  const candidates = swarm(Array.from({ length: 2_000 }, (_, n) => levels[n % 4]!));
  const sums = [0, 0, 0, 0];
  for (const [n, { weight }] of make(candidates).candidates.entries()) sums[n % 4]! += weight! / 500;
  // At ε = 4 the noise's deviation is 350 steps, the mean of 500 such about 16; clamping pulls in the ends.
  for (let i = 1; i < 4; i++) expect(sums[i]! - sums[i - 1]!).toBeGreaterThan(100);
});

/** First choices by exponential clocks. */
const firstChoices = (candidates: readonly Candidate[], draws: number): number[] => {
  const rules = { ...defaultRules(2, 0), off: ['continent'] as const, minDistinctPeers: 2 };
  const assigner = new Assigner({ candidates, rules, salt: salt(9) });
  const counts = new Map<string, number>(candidates.map(({ id }) => [id, 0]));
  for (let p = 0; p < draws; p++) {
    const [peer] = assigner.assign(partitionId(p)).peers;
    counts.set(peer!, counts.get(peer!)! + 1);
  }
  return [...counts.values()];
};
const exponential: PrivacySettings = { ...settings, mechanism: 'exponential', epsilon: 1.5, budget: 3 };
/** All facts differ that can: the first peer is full in one swarm and empty in the other, everybody else the reverse. */
const opposite = [100, 0].map((own) => swarm([own, ...Array(19).fill(100 - own)]));

test('the exponential mechanism: probabilities of a choice differ by at most exp(ε)', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.double({ min: 0, max: 200, noNaN: true }), fc.double({ min: 0, max: 200, noNaN: true })),
        {
          minLength: 1,
          maxLength: 30,
        },
      ),
      fc.integer({ min: 1, max: 8_000_000 }),
      (pairs, micro) => {
        const as = { ...exponential, epsilon: micro / 1e6, budget: 8 };
        const [one, other] = [0, 1].map((side) => {
          const weights = weightsOf(make(swarm(pairs.map((pair) => pair[side]!)), { as }).candidates);
          const total = weights.reduce<number>((sum, weight) => sum + weight!, 0);
          return weights.map((weight) => weight! / total);
        });
        for (const [i, p] of one!.entries()) {
          expect(Math.abs(Math.log(p / other![i]!))).toBeLessThanOrEqual(as.epsilon + 1e-9);
        }
      },
    ),
  );
  const [one, other] = opposite.map((candidates) =>
    weightsOf(make(candidates, { as: exponential }).candidates),
  );
  expect(one).toEqual([Math.exp(0.75), ...Array(19).fill(1)]);
  expect(other).toEqual([1, ...Array(19).fill(Math.exp(0.75))]);
});

test('the exponential mechanism: histograms of real choices keep to ε, and too large a scale is noticed', () => {
  const histograms = (as: PrivacySettings) =>
    opposite.map((candidates) => firstChoices(make(candidates, { as }).candidates, 200_000));
  const [one, other] = histograms(exponential);
  expect(worstExcess(one!, other!, 1.5)).toBeLessThan(0);
  // The utility without the 2 of 2Δ.
  const [loud, louder] = histograms({ ...exponential, epsilon: 3 });
  expect(worstExcess(loud!, louder!, 1.5)).toBeGreaterThan(0);
});

test('both mechanisms serve both modes: derived from partition and salt, or drawn', () => {
  const candidates = swarm([10, 20, 30, 40, 50, 60, 70, 80]);
  for (const as of [settings, exponential]) {
    const made = make(candidates, { as }).candidates;
    const request = { partition: partitionId(1), candidates: made, rules: defaultRules(3, 2), salt: salt(1) };
    expect(assignStripe(request).peers.length).toBe(5);
    const drawn = new Assigner(request).assign(partitionId(1), { random: seededRandom(1) });
    expect(new Set(drawn.peers).size).toBe(5);
    expect(drawn.peers.every((peer) => candidates.some(({ id }) => id === peer))).toBe(true);
  }
});
