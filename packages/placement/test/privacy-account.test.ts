import {
  chargeChoices,
  checkPrivacySettings,
  openPrivacyAccount,
  type PrivacySettings,
  privacySpent,
  privateCandidates,
} from '@holdfast/placement/privacy';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { candidate, codeOf, refusalOf } from './swarm.ts';

const settings: PrivacySettings = {
  mechanism: 'exponential',
  epsilon: 0.1,
  budget: 1,
  fullWeight: 100,
  gridSteps: 1000,
};
const epoch = { number: 4 };
const account = openPrivacyAccount(4);

test('ten times 0.1 is 1, and not a bit more', () => {
  let spent = account;
  for (let i = 0; i < 10; i++) spent = chargeChoices({ account: spent, settings, epoch, choices: 1 });
  expect(privacySpent(spent)).toBe(1);
  expect(spent.spent).toEqual([{ for: 'choices', microEpsilon: 100_000, count: 10 }]);
  const refusal = refusalOf(() => chargeChoices({ account: spent, settings, epoch, choices: 1 }));
  expect(refusal.code).toBe('PLACEMENT_REFUSED');
  expect(refusal.details).toMatchObject({
    rule: 'privacy-budget',
    epoch: 4,
    spent: 1,
    wanted: 0.1,
    budget: 1,
  });
  expect(refusal.hint).toBe('Wait for epoch 5, lower epsilon, or raise the budget.');
});

test('the hint says when the next epoch begins', () => {
  const ending = { number: 4, endsAt: Date.UTC(2027, 0, 2) };
  const refusal = refusalOf(() => chargeChoices({ account, settings, epoch: ending, choices: 11 }));
  expect(refusal.hint).toContain('epoch 5, which begins at 2027-01-02T00:00:00.000Z');
  expect(refusal.details.endsAt).toBe(ending.endsAt);
});

test('whatever is charged in whatever portions: the sum is exact, never above the budget, and what fits is granted', () => {
  const charges = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 300_000 })));
  fc.assert(
    fc.property(charges, fc.integer({ min: 300_000, max: 9_000_000 }), (portions, budgetMicro) => {
      let left = budgetMicro;
      let spent = account;
      for (const [choices, micro] of portions) {
        const as = { ...settings, epsilon: micro / 1e6, budget: budgetMicro / 1e6 };
        const call = () => chargeChoices({ account: spent, settings: as, epoch, choices });
        if (choices * micro > left) {
          expect(codeOf(call)).toBe('PLACEMENT_REFUSED');
        } else {
          spent = call();
          left -= choices * micro;
        }
        expect(privacySpent(spent)).toBe((budgetMicro - left) / 1e6);
      }
      const kinds = new Set(portions.map(([, micro]) => micro)).size;
      expect(spent.spent.length).toBeLessThanOrEqual(kinds);
    }),
  );
});

test('a refusal changes nothing, and an account that was passed is never changed', () => {
  const before = chargeChoices({ account, settings, epoch, choices: 3 });
  const copy = structuredClone(before);
  chargeChoices({ account: before, settings, epoch, choices: 2 });
  refusalOf(() => chargeChoices({ account: before, settings, epoch, choices: 8 }));
  expect(before).toEqual(copy);
});

test('a new epoch starts afresh; one that is over is refused', () => {
  const full = chargeChoices({ account, settings, epoch, choices: 10 });
  const next = chargeChoices({ account: full, settings, epoch: { number: 7 }, choices: 2 });
  expect(next.epoch).toBe(7);
  expect(privacySpent(next)).toBe(0.2);
  const refusal = refusalOf(() => chargeChoices({ account: next, settings, epoch, choices: 1 }));
  expect(refusal.code).toBe('PLACEMENT_REFUSED');
  expect(refusal.details).toMatchObject({ rule: 'privacy-budget', epoch: 4, begun: 7 });
});

test('choices by weights with noise are free, and so is no choice at all', () => {
  const laplace = { ...settings, mechanism: 'laplace' as const };
  expect(chargeChoices({ account, settings: laplace, epoch, choices: 1e6 })).toEqual(account);
  expect(chargeChoices({ account, settings, epoch, choices: 0 })).toEqual(account);
});

test('senseless settings charge nothing', () => {
  const senseless = { ...settings, epsilon: Number.NaN };
  expect(codeOf(() => chargeChoices({ account, settings: senseless, epoch, choices: 1 }))).toBe('USAGE');
  const contradictory = { ...settings, epsilon: 2 };
  expect(codeOf(() => chargeChoices({ account, settings: contradictory, epoch, choices: 1 }))).toBe('USAGE');
});

test('weights and choices of one ε are booked apart', () => {
  const laplace = { ...settings, mechanism: 'laplace' as const };
  const request = { candidates: [candidate(1)], epoch, noise: { key: new Uint8Array(32) } };
  const chosen = chargeChoices({ account, settings, epoch, choices: 2 });
  const both = privateCandidates({ ...request, settings: laplace, account: chosen });
  expect(both.account.spent).toEqual([
    { for: 'choices', microEpsilon: 100_000, count: 2 },
    { for: 'weights', microEpsilon: 100_000, count: 1 },
  ]);
});

test.each([Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY])('%f choices are refused', (choices) => {
  expect(codeOf(() => chargeChoices({ account, settings, epoch, choices }))).toBe('USAGE');
});

test('as many choices as there are numbers overspend', () => {
  const choices = Number.MAX_SAFE_INTEGER;
  expect(codeOf(() => chargeChoices({ account, settings, epoch, choices }))).toBe('PLACEMENT_REFUSED');
});

test.each([-1, 0.5, Number.NaN])('epoch %f is refused', (number) => {
  expect(codeOf(() => chargeChoices({ account, settings, epoch: { number }, choices: 1 }))).toBe('USAGE');
});

test.each([
  { epoch: Number.NaN },
  { spent: [{ for: 'choices' as const, microEpsilon: Number.NaN, count: 1 }] },
  { spent: [{ for: 'choices' as const, microEpsilon: 100_000, count: -5 }] },
])('an account that holds no counts is refused: %o', (change) => {
  const call = () => chargeChoices({ account: { ...account, ...change }, settings, epoch, choices: 1 });
  expect(codeOf(call)).toBe('USAGE');
});

test.each([
  ['mechanism', 'gauss'],
  ['epsilon', 0],
  ['epsilon', -1],
  ['epsilon', Number.NaN],
  ['epsilon', 0.000_000_4],
  ['epsilon', 0.123_456_7],
  ['epsilon', 100.5],
  ['budget', 0.05],
  ['budget', Number.POSITIVE_INFINITY],
  ['budget', 1_000_001],
  ['fullWeight', 0],
  ['fullWeight', Number.NaN],
  ['fullWeight', Number.POSITIVE_INFINITY],
  ['gridSteps', 1],
  ['gridSteps', 2.5],
  ['gridSteps', 1_000_001],
])('setting %s %s is refused by name', (field, value) => {
  const error = refusalOf(() => checkPrivacySettings({ ...settings, [field]: value } as PrivacySettings));
  expect(error.code).toBe('USAGE');
  expect(error.details).toEqual({ field, value });
});

test.each([0.1, 0.3, 0.7, 1.1, 2.2, 0.000_001, 0.123_456, 99.999_999, 100])(
  'ε of %f is a number of millionths',
  (epsilon) => {
    checkPrivacySettings({ ...settings, epsilon, budget: epsilon });
    checkPrivacySettings({ ...settings, epsilon, budget: 1_000_000 });
  },
);
