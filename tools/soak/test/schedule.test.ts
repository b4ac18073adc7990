import { describe, expect, it } from 'vitest';
import { soakOptions } from '../options.ts';
import { editRandom, roundOf } from '../schedule.ts';

const rounds = (seed: number) => Array.from({ length: 300 }, (_, i) => roundOf(seed, i + 1));

describe('the schedule of a soak', () => {
  it('follows from its seed', () => {
    expect(rounds(7)).toEqual(rounds(7));
    expect(rounds(7)).not.toEqual(rounds(8));
    expect(editRandom(7, 3).bytes(20)).toEqual(editRandom(7, 3).bytes(20));
    expect(editRandom(7, 3).bytes(20)).not.toEqual(editRandom(7, 4).bytes(20));
  });

  it('has rounds of every kind, never with more peers doomed than the code tolerates', () => {
    const all = rounds(1);
    for (const action of ['backup', 'restore'])
      expect(all.filter((round) => round.action === action).length).toBeGreaterThan(50);
    expect(all.filter(({ kills }) => kills.length === 0).length).toBeGreaterThan(10);
    const byShards = all.flatMap(({ kills }) => kills).filter(({ shards }) => shards !== null);
    expect(byShards.length).toBeGreaterThan(50);
    for (const { kills } of all) {
      expect(kills.filter(({ victim }) => victim === 'peer').length).toBeLessThanOrEqual(2);
      expect(kills.filter(({ victim }) => victim === 'owner').length).toBeLessThanOrEqual(1);
      for (const { at } of kills) expect(at).toSatisfy((share: number) => share >= 0.2 && share <= 1.05);
    }
  });
});

describe('its options', () => {
  it('have defaults, and refuse nonsense', () => {
    expect(soakOptions([])).toMatchObject({ kills: 200, json: false, keep: false });
    expect(soakOptions(['--seed', '0', '--kills', '3', '--json'])).toMatchObject({
      seed: 0,
      kills: 3,
      json: true,
    });
    expect(soakOptions(['--help'])).toBeNull();
    for (const wrong of [['--kills', '0'], ['--seed', '1.5'], ['--seed', 'x'], ['--fast']])
      expect(() => soakOptions(wrong)).toThrow();
  });
});
