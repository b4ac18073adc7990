import type { PeerId } from '@holdfast/contracts';
import { expect, test } from 'vitest';
import { consistentHashing } from '../consistent-hashing.ts';
import { crush, crushHierarchy } from '../crush.ts';
import { mix, textHash } from '../fast-hash.ts';
import { holdfast, recordsOf, verify } from '../holdfast.ts';
import type { Scheme } from '../scheme.ts';
import { Straw2Bucket } from '../straw2.ts';
import { type BenchPeer, newcomer, partitionIds, swarm, totalWeight } from '../swarm.ts';

const SHAPE = { k: 4, m: 2 };
const SCHEMES = [holdfast, crush, crushHierarchy, consistentHashing];

const prepare = (scheme: Scheme, peers: readonly BenchPeer[], shape = SHAPE) =>
  scheme.prepare(peers, shape, totalWeight(peers) / peers.length);

/** How often each peer is the first of all. */
function firstChoices(scheme: Scheme, peers: readonly BenchPeer[], partitions: number): Map<PeerId, number> {
  const placer = prepare(scheme, peers);
  const counts = new Map(peers.map(({ id }) => [id, 0]));
  for (const partition of partitionIds(0, partitions)) {
    const [first] = placer.place(partition);
    counts.set(first!, counts.get(first!)! + 1);
  }
  return counts;
}

test.each(SCHEMES)('$name: different peers of the swarm, the same for the same partition', (scheme) => {
  for (const kind of ['equal', 'skewed', 'tight'] as const) {
    const peers = swarm(kind, 40);
    const shape = kind === 'tight' ? { k: 10, m: 4 } : SHAPE;
    const [one, other] = [prepare(scheme, peers, shape), prepare(scheme, peers, shape)];
    const known = new Set(peers.map(({ id }) => id));
    const seen = new Set<PeerId>();
    for (const partition of partitionIds(0, 200)) {
      const chosen = [...one.place(partition)];
      expect(new Set(chosen).size).toBe(shape.k + shape.m);
      expect(chosen.every((peer) => known.has(peer))).toBe(true);
      expect(other.place(partition)).toEqual(chosen);
      for (const peer of chosen) seen.add(peer);
    }
    expect(seen.size).toBeGreaterThan(25);
  }
});

test.each([
  // 29 degrees of freedom: 65 is exceeded once in ten thousand; points on a ring have chances of their own.
  [holdfast, 65],
  [crush, 65],
  [crushHierarchy, 65],
  [consistentHashing, 800],
] as const)('%o: first choices are proportional to weight', (scheme, limit) => {
  const peers = swarm('equal', 30).map((peer, n) => ({ ...peer, freeBytes: (1 + (n % 3)) * peer.freeBytes }));
  const withRoom = peers.map((peer) => ({ ...peer, capacityBytes: peer.freeBytes }));
  const draws = 30_000;
  const counts = firstChoices(scheme, withRoom, draws);
  let chiSquared = 0;
  const byWeight = [0, 0, 0];
  for (const [n, { id, freeBytes }] of withRoom.entries()) {
    const expected = (draws * freeBytes) / totalWeight(withRoom);
    chiSquared += (counts.get(id)! - expected) ** 2 / expected;
    byWeight[n % 3]! += counts.get(id)! / draws;
  }
  expect(chiSquared).toBeLessThan(limit);
  for (const [i, share] of byWeight.entries()) expect(Math.abs(share - (i + 1) / 6)).toBeLessThan(0.02);
});

test('straw2: a changed weight moves only what its item gains; a missing item only what it had', () => {
  const items = Array.from({ length: 20 }, (_, i) => ({ id: textHash(`item ${i}`), weight: 1 + (i % 4) }));
  const before = new Straw2Bucket(items);
  const heavier = new Straw2Bucket(items.map((item, i) => (i === 7 ? { ...item, weight: 9 } : item)));
  const without = new Straw2Bucket(items.slice(0, -1));
  let gained = 0;
  for (let x = 0; x < 2_000; x++) {
    const winner = before.choose(x, 3);
    if (heavier.choose(x, 3) !== winner) {
      expect(heavier.choose(x, 3)).toBe(7);
      gained += 1;
    }
    if (winner !== 19) expect(without.choose(x, 3)).toBe(winner);
    expect(before.choose(x, 3)).toBe(winner);
  }
  // From 4 of 50 to 9 of 55: 8.4 % of the draws.
  expect(gained).toBeGreaterThan(120);
  expect(gained).toBeLessThan(220);
});

test('straw2 independently: every position keeps its item unless that is taken', () => {
  const items = Array.from({ length: 12 }, (_, i) => ({ id: textHash(`item ${i}`), weight: 1 }));
  const bucket = new Straw2Bucket(items);
  const chosen: number[] = [];
  for (let x = 0; x < 50; x++) {
    bucket.chooseIndependently(x, 6, chosen);
    for (const [rep, item] of chosen.entries()) {
      const draws = Array.from({ length: 1_000 }, (_, round) => bucket.choose(x, rep + 6 * round));
      // Whatever the position drew before was taken.
      for (const taken of draws.slice(0, draws.indexOf(item))) expect(chosen).toContain(taken);
      expect(draws).toContain(item);
    }
    expect(chosen[0]).toBe(bucket.choose(x, 0));
  }
  expect(() => bucket.chooseIndependently(1, 13, [])).toThrow('CRUSH found no 13 of 12 items');
});

test('the hierarchy takes one peer a region where regions suffice, else as few as need be of each', () => {
  const roomy = swarm('equal', 60);
  const regionOf = new Map(roomy.map(({ id, region }) => [id, region]));
  const one = prepare(crushHierarchy, roomy);
  for (const partition of partitionIds(0, 100)) {
    expect(new Set(one.place(partition).map((id) => regionOf.get(id))).size).toBe(6);
  }
  const tight = swarm('tight', 60);
  const tightRegion = new Map(tight.map(({ id, region }) => [id, region]));
  const four = prepare(crushHierarchy, tight, { k: 10, m: 4 });
  for (const partition of partitionIds(0, 100)) {
    const perRegion = Map.groupBy(four.place(partition), (id) => tightRegion.get(id));
    expect([...perRegion.values()].map(({ length }) => length).sort()).toEqual([2, 4, 4, 4]);
  }
});

test('consistent hashing: a peer that joins takes, and nobody else gains', () => {
  const peers = swarm('equal', 30);
  const joined = newcomer('equal', peers);
  const unit = totalWeight(peers) / peers.length;
  const before = consistentHashing.prepare(peers, SHAPE, unit);
  const after = consistentHashing.prepare([...peers, joined], SHAPE, unit);
  let taken = 0;
  for (const partition of partitionIds(0, 1_000)) {
    const had = new Set(before.place(partition));
    const come = after.place(partition).filter((peer) => !had.has(peer));
    expect(come.every((peer) => peer === joined.id)).toBe(true);
    taken += come.length;
  }
  // 6 / 31 of a thousand are 194; 150 points a peer spread by some per cent.
  expect(taken).toBeGreaterThan(140);
  expect(taken).toBeLessThan(250);
  const lonely = prepare(consistentHashing, peers.slice(0, 5));
  expect(() => lonely.place(partitionIds(0, 1)[0]!)).toThrow('no 6 different peers');
});

test('our own placements pass the verifier, and spoilt ones do not', () => {
  for (const kind of ['skewed', 'tight'] as const) {
    for (const record of recordsOf(swarm(kind, 40), SHAPE, partitionIds(0, 50))) {
      verify(record);
      const [first, second, ...rest] = record.placed;
      const spoilt = { ...record, placed: [first!, { ...second!, peer: first!.peer }, ...rest] };
      expect(() => verify(spoilt)).toThrow('Our own placement is wrong');
    }
  }
});

test('hashes: every bit is set about half the time, and each word matters', () => {
  for (let bit = 0; bit < 32; bit++) {
    let set = 0;
    for (let i = 0; i < 2_000; i++) set += (mix(i, 1, 2) >>> bit) & 1;
    expect(Math.abs(set - 1_000)).toBeLessThan(120);
  }
  expect(new Set([mix(1, 2, 3), mix(2, 2, 3), mix(1, 3, 3), mix(1, 2, 4), mix(2, 1, 3)]).size).toBe(5);
  expect(new Set(['', 'a', 'b', 'ab', 'ba'].map(textHash)).size).toBe(5);
});
