import { defaultRules } from '@holdfast/placement';
import { expect, test } from 'vitest';
import { isWithinLoad, loadLadder } from '../src/rules/load.ts';
import { candidate } from './swarm.ts';

const limit = { maxLoad: 0.7, headroomShards: 2 };
const within = (freeBytes: number, capacityBytes: number): boolean =>
  isWithinLoad(candidate(1, { freeBytes, capacityBytes }), limit, 100);

test('load counts the shard to come, headroom the room before it', () => {
  expect(within(400, 1000)).toBe(true);
  expect(within(399, 1000)).toBe(false);
  expect(within(200, 200)).toBe(true);
  expect(within(199, 199)).toBe(false);
});

test('the limit rises in steps of 10 % of capacity, and headroom goes last', () => {
  const steps = (facts: object) =>
    loadLadder({ ...defaultRules(4, 2), ...facts }).steps.map((s) => [s.maxLoad, s.headroomShards]);
  expect(steps({})).toEqual([
    [0.7, 2],
    [0.8, 2],
    [0.9, 2],
    [1, 1],
  ]);
  expect(steps({ maxLoad: 0.75 })).toEqual([
    [0.75, 2],
    [0.8, 2],
    [0.9, 2],
    [1, 1],
  ]);
  expect(steps({ maxLoad: 1 })).toEqual([
    [1, 2],
    [1, 1],
  ]);
  expect(steps({ maxLoad: 1, headroomShards: 1 })).toEqual([[1, 1]]);
});
