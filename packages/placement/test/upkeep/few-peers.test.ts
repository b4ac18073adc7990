import { SOFT_RULES } from '@holdfast/placement';
import { defaultFewPeers, type FewPeersSettings, fewPeersState } from '@holdfast/placement/upkeep';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../swarm.ts';

const state = (few: boolean | null, active: number, settings: Partial<FewPeersSettings> = {}) =>
  fewPeersState(few === null ? null : { few }, active, { ...defaultFewPeers, ...settings });

describe('few peers', () => {
  test('are fewer than 10, until there are 12 again', () => {
    expect([0, 9, 10, 12].map((active) => state(null, active).few)).toEqual([true, true, false, false]);
    expect([9, 10, 11].map((active) => state(false, active).few)).toEqual([true, false, false]);
    expect([9, 10, 11, 12, 13].map((active) => state(true, active).few)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test('change what is wished for, and say so', () => {
    expect(state(null, 7)).toEqual({
      ...{
        few: true,
        activePeers: 7,
        missing: 5,
        mayRelax: SOFT_RULES,
        extraParity: 4,
        cloud: 'not-configured',
      },
      alert:
        'The swarm has 7 active peers; 5 more would be enough. Spread over regions and continents is given up where it ' +
        'must be. No bucket is configured to fall back on. Invite peers.',
    });
    const one = state(null, 1, { cloudConfigured: true, maxExtraParity: 2 });
    expect(one).toMatchObject({ cloud: 'wished', extraParity: 2, missing: 11 });
    expect(one.alert).toContain('has 1 active peer; 11 more');
    expect(one.alert).toContain('the configured bucket helps');
  });

  test('that are enough change nothing', () => {
    expect(state(true, 12, { cloudConfigured: true })).toEqual({
      ...{ few: false, activePeers: 12, missing: 0, mayRelax: [], extraParity: 0 },
      ...{ cloud: 'not-needed', alert: null },
    });
  });

  test.each<[string, number, Partial<FewPeersSettings>]>([
    ['less than none', -1, {}],
    ['a part of one', 0.5, {}],
    ['no number', Number.NaN, {}],
    ['enough before they are not few', 9, { enoughFrom: 9 }],
    ['few below nothing', 9, { fewBelow: -1 }],
    ['few below a part of one', 9, { fewBelow: 9.5 }],
    ['to be given less parity', 9, { maxExtraParity: -1 }],
  ])('that are %s are refused', (_, active, settings) => {
    expect(codeOf(() => state(null, active, settings))).toBe('USAGE');
  });
});
