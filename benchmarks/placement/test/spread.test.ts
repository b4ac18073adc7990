import { isPartitionId, isPeerId } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { consistentHashing } from '../consistent-hashing.ts';
import { crush } from '../crush.ts';
import { fairShares } from '../fair-share.ts';
import { holdfast } from '../holdfast.ts';
import { refusalResults } from '../refusal.ts';
import { afterwards, mustMove, spreadResults } from '../spread.ts';
import { averagePeer, newcomer, partitionIds, swarm, totalWeight } from '../swarm.ts';

const GB = 1e9;

test('swarms are the same each time, and as described', () => {
  const skewed = swarm('skewed', 1_000);
  expect(skewed).toEqual(swarm('skewed', 1_000));
  const sizes = skewed.map(({ freeBytes }) => freeBytes / GB).sort((a, b) => a - b);
  expect(sizes[0]).toBeGreaterThanOrEqual(50);
  expect(sizes[0]).toBeLessThan(51);
  expect(sizes[999]).toBeGreaterThan(10_000);
  expect(sizes[999]).toBeLessThanOrEqual(20_000);
  expect(sizes.slice(800).reduce((sum, size) => sum + size)).toBeGreaterThan(
    0.55 * (totalWeight(skewed) / GB),
  );
  for (const kind of ['equal', 'skewed', 'tight'] as const) {
    const peers = [...swarm(kind, 50), newcomer(kind, swarm(kind, 50))];
    expect(new Set(peers.map(({ id }) => id)).size).toBe(51);
    expect(peers.every(({ id }) => isPeerId(id))).toBe(true);
    const regions = new Set(peers.map(({ region }) => region)).size;
    expect(regions).toBe(kind === 'tight' ? 4 : 25);
    expect(new Set(peers.map(({ region }) => region.split('/')[0])).size).toBe(kind === 'tight' ? 4 : 6);
  }
  const large = swarm('tight', 50).filter(({ operator }) => operator === 'large');
  expect(large.length).toBe(35);
  const ids = partitionIds(5, 300);
  expect(ids.every(isPartitionId)).toBe(true);
  expect(new Set(ids).size).toBe(300);
  expect(partitionIds(6, 1)[0]).toBe(ids[1]);
});

test('the newcomer is as large as the mean, and the average peer comes closest to it', () => {
  const peers = swarm('skewed', 30);
  const mean = totalWeight(peers) / 30;
  expect(newcomer('skewed', peers).freeBytes).toBeCloseTo(mean, -1);
  const off = (freeBytes: number) => Math.abs(freeBytes - mean);
  expect(Math.min(...peers.map(({ freeBytes }) => off(freeBytes)))).toBe(off(averagePeer(peers).freeBytes));
});

test('fair shares follow weight, never exceed 1, and add up', () => {
  const peers = swarm('equal', 10).map((peer, n) => ({ ...peer, freeBytes: n === 4 ? 9_000 : 1_000 }));
  // The large one would have 6 · 9 / 18 = 3.
  expect(fairShares(peers, 6)).toEqual(peers.map((_, n) => (n === 4 ? 1 : expect.closeTo(5 / 9, 12))));
  expect(fairShares(swarm('equal', 10), 6)).toEqual(Array(10).fill(expect.closeTo(0.6, 12)));
});

test('one peer joins, leaves, or has twice the weight, and is of average size', () => {
  const peers = swarm('skewed', 30);
  const average = averagePeer(peers).freeBytes;
  expect(afterwards('join', 'skewed', peers)).toEqual([...peers, newcomer('skewed', peers)]);
  expect(totalWeight(afterwards('leave', 'skewed', peers))).toBe(totalWeight(peers) - average);
  expect(afterwards('leave', 'skewed', peers).length).toBe(29);
  expect(totalWeight(afterwards('doubling', 'skewed', peers))).toBe(totalWeight(peers) + average);
  expect(afterwards('doubling', 'skewed', peers).length).toBe(30);
});

test('what must move is what peers gain', () => {
  const peers = swarm('equal', 20);
  expect(mustMove(peers, [...peers, newcomer('equal', peers)], 6)).toBeCloseTo(6 / 21, 12);
  expect(mustMove(peers, peers.slice(1), 6)).toBeCloseTo(6 / 20, 12);
  expect(mustMove(peers, peers, 6)).toBe(0);
});

test('ours moves about what must move, in both swarms; ratios name the others', () => {
  for (const kind of ['equal', 'skewed'] as const) {
    const one = { kind, peers: 60, k: 4, m: 2 };
    const results = spreadResults(one, 6_000, [holdfast, crush, consistentHashing]);
    expect(results.map(({ name }) => name)).toEqual([
      'imbalance, fullest',
      'imbalance, deviation',
      'moved, join',
      'moved, leave',
      'moved, doubling',
    ]);
    for (const { name, value, ratios } of results) {
      expect(Object.keys(ratios)).toEqual(['crush', 'consistent-hashing']);
      if (name.startsWith('moved')) expect(Math.abs(value - 1)).toBeLessThan(0.15);
      if (name.startsWith('moved')) expect(ratios.crush).toBeGreaterThan(0.9);
      if (name === 'imbalance, fullest') expect(value).toBeGreaterThan(1);
    }
  }
});

test('ten peers are too few for 14 shards, by four', () => {
  expect(refusalResults()).toMatchObject([
    { value: 4, unit: 'peers', params: { code: 'PLACEMENT_REFUSED', rule: 'one-shard-per-peer' } },
  ]);
});
