import type { SnapshotId } from '@holdfast/contracts';
import { chooseMode, chosenPolicy, defaultMode, epochSalt, type PlacementMode } from '@holdfast/placement';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, partitionId, salt } from './swarm.ts';

describe('hybrid mode', () => {
  const next = (previous: PlacementMode | null, answering: number, members = 100) =>
    chooseMode(defaultMode, previous, { members, answering });

  test('is deterministic above 80 % of peers, and stays so down to 75 %', () => {
    expect([null, 'random' as const].map((before) => [next(before, 80), next(before, 81)])).toEqual([
      ['random', 'deterministic'],
      ['random', 'deterministic'],
    ]);
    expect([next('deterministic', 76), next('deterministic', 75), next('deterministic', 74)]).toEqual([
      'deterministic',
      'deterministic',
      'random',
    ]);
    expect(next(null, 0, 0)).toBe('random');
  });

  test('never changes twice while availability stays between the two', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 75, max: 80 }), { minLength: 2 }),
        fc.constantFrom('random' as const, 'deterministic' as const),
        (course, before) => {
          let mode: PlacementMode = before;
          for (const answering of course) mode = next(mode, answering);
          expect(mode).toBe(before);
        },
      ),
    );
  });

  test('is what it is told to be otherwise', () => {
    for (const mode of ['random', 'deterministic'] as const) {
      expect(chooseMode({ ...defaultMode, mode }, null, { members: 4, answering: 2 })).toBe(mode);
    }
  });

  test.each([
    [
      { ...defaultMode, leaveBelow: 0.9 },
      { members: 1, answering: 1 },
    ],
    [
      { ...defaultMode, enterAbove: Number.NaN },
      { members: 1, answering: 1 },
    ],
    [
      { ...defaultMode, enterAbove: 1.1 },
      { members: 1, answering: 1 },
    ],
    [defaultMode, { members: 1, answering: 2 }],
    [defaultMode, { members: Number.NaN, answering: 0 }],
    [defaultMode, { members: 3, answering: -1 }],
  ])('refuses %o with %o', (settings, peers) => {
    expect(codeOf(() => chooseMode(settings, null, peers))).toBe('USAGE');
  });
});

test('each epoch has a salt of its own, the same whenever it is asked for', () => {
  const secret = new Uint8Array(32).fill(7);
  const salts = [0, 1, 2, 2 ** 40].map((epoch) => Buffer.from(epochSalt(secret, epoch)).toString('hex'));
  expect(new Set(salts).size).toBe(4);
  expect(salts[1]).toBe(Buffer.from(epochSalt(secret, 1)).toString('hex'));
  expect(Buffer.from(epochSalt(new Uint8Array(32), 1)).toString('hex')).not.toBe(salts[1]);
  for (const epoch of [-1, 0.5, Number.NaN]) expect(codeOf(() => epochSalt(secret, epoch))).toBe('USAGE');
});

describe('rollout', () => {
  const snapshots = Array.from({ length: 4000 }, (_, n) => partitionId(n) as string as SnapshotId);
  const under = (percent: number) =>
    snapshots.filter(
      (snapshot) => chosenPolicy({ current: 'new', previous: 'old', percent }, snapshot, salt(1)) === 'new',
    );

  test('takes so many snapshots in a hundred, and never one back when the percentage grows', () => {
    expect(under(0)).toEqual([]);
    expect(under(100).length).toBe(snapshots.length);
    const [tenth, half] = [under(10), under(50)];
    // Standard deviations: 19 of 400, 32 of 2 000. The choice is fixed by the salt.
    expect(Math.abs(tenth.length - 400)).toBeLessThan(76);
    expect(Math.abs(half.length - 2000)).toBeLessThan(128);
    const later = new Set(half);
    expect(tenth.filter((snapshot) => !later.has(snapshot))).toEqual([]);
  });

  test.each([-1, 101, Number.NaN])('refuses %d per cent', (percent) => {
    expect(codeOf(() => under(percent))).toBe('USAGE');
  });
});
