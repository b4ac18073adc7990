import type { PeerId, SnapshotId } from '@holdfast/contracts';
import { defaultMode, defaultRules, defaultSettings } from '@holdfast/placement';
import { describe, expect, it } from 'vitest';
import { currentPlacement, policyOf, recordedPolicy, stricter } from '../src/placement-policy.ts';
import { POLICY } from './test-vault.ts';

const SALT = new Uint8Array(32).fill(7);
const snapshot = (n: number): SnapshotId =>
  `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}` as SnapshotId;

describe('the policy of a snapshot', () => {
  const current = { ...currentPlacement(POLICY), version: 2 };
  const previous = {
    ...current,
    version: 1,
    settings: { ...current.settings, maxPerOperator: 1, maxPerRegion: 5 },
  };
  const failureDomains = new Map([['peer' as PeerId, ['cellar']]]);
  const policy = (percent: number) => ({
    ...POLICY,
    version: 2,
    placement: { current, rollout: { percent, previous }, failureDomains },
  });

  it('is all of one of the two, failure domains apart', () => {
    expect(policyOf(policy(0), snapshot(1), SALT)).toEqual({
      ...POLICY,
      version: 1,
      maxPerOperator: 1,
      placement: { current: previous, failureDomains },
    });
    expect(policyOf(policy(100), snapshot(1), SALT)).toEqual({
      ...POLICY,
      version: 2,
      placement: { current, failureDomains },
    });
  });

  it('is the same at each call, and as often the new one as was asked for', () => {
    const versions = Array.from({ length: 1000 }, (_, n) => policyOf(policy(30), snapshot(n), SALT).version);
    expect(versions).toEqual(
      Array.from({ length: 1000 }, (_, n) => policyOf(policy(30), snapshot(n), SALT).version),
    );
    const share = versions.filter((version) => version === 2).length;
    expect(share).toBeGreaterThan(250);
    expect(share).toBeLessThan(350);
  });

  it('is the whole policy where nothing is rolled out, with the document’s figures by default', () => {
    expect(policyOf(POLICY, snapshot(1), SALT)).toBe(POLICY);
    expect(currentPlacement(POLICY)).toEqual({
      version: POLICY.version,
      saltEpoch: 0,
      mode: defaultMode,
      settings: { ...defaultSettings(POLICY.k), maxPerOperator: POLICY.maxPerOperator },
    });
  });

  it('is recorded with every setting', () => {
    const recorded = recordedPolicy({ ...previous, saltEpoch: 4 }, 'random');
    expect(recorded).toEqual({
      version: 1,
      mode: 'random',
      settings: { ...previous.settings, saltEpoch: 4 },
    });
  });
});

describe('rules of what was placed under others', () => {
  const recorded = { ...defaultRules(4, 2), maxPerRegion: 2, maxLoad: 0.9, maxPerOperator: 2 };
  const today = {
    ...defaultRules(4, 2),
    maxPerOperator: 1,
    maxPerFailureDomain: 2,
    minDistinctPeers: 5,
    separateSiblings: true,
    maxPerRegion: 1,
    maxLoad: 0.5,
  };

  it('are the stricter ones on who may have what, and otherwise those of then', () => {
    const strict = {
      maxPerOperator: 1,
      maxPerFailureDomain: 2,
      minDistinctPeers: 5,
      separateSiblings: true,
    };
    expect(stricter(recorded, today)).toEqual({ ...recorded, ...strict });
    expect(stricter(today, recorded)).toEqual({ ...today, ...strict });
  });
});
