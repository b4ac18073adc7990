import { defaultRules, type PlacedHolder, verifyPlacement, verifySpread } from '@holdfast/placement';
import { complementsOf, identifyComplementaryShards, shardRole } from '@holdfast/placement/relations';
import { describe, expect, test } from 'vitest';
import { candidate, factsOf, partitionId, peerId } from './swarm.ts';

const rules = defaultRules(3, 2);
const facts = factsOf(
  Array.from({ length: 20 }, (_, n) =>
    candidate(n, { region: `c${n % 2}/r${n % 4}/x`, operator: `o${n % 10}` }),
  ),
);
const verify = (placed: PlacedHolder[]) =>
  verifyPlacement({ partition: partitionId(1), placed, facts, rules }).map(({ rule }) => rule);
const spread = (placed: PlacedHolder[]) => verifySpread({ placed, facts, rules });
const on = (...peers: number[]): PlacedHolder[] => peers.map((n, index) => ({ index, peer: peerId(n) }));
const good = on(0, 1, 2, 3, 4);

describe('the verifier', () => {
  test('accepts what keeps the rules', () => {
    expect(verify(good)).toEqual([]);
    expect(verify([...good, { index: 1, peer: peerId(11), past: true }])).toEqual([]);
    expect(verify([...good, { index: 1, peer: peerId(11) }])).toEqual([]);
  });

  test.each<[string, PlacedHolder[], string[]]>([
    ['two shards on one peer', on(0, 1, 2, 3, 0), ['one-shard-per-peer']],
    [
      'two shards, one after the other',
      [...good, { index: 0, peer: peerId(1), past: true }],
      ['one-shard-per-peer'],
    ],
    [
      'a peer that nobody knows',
      [...on(0, 10, 2, 3, 4), { index: 2, peer: peerId(20), past: true }],
      ['unknown-peer'],
    ],
    ['a shard nowhere', good.slice(1), ['unplaced']],
    [
      'a shard that is only past',
      [...good.slice(1), { index: 0, peer: peerId(0), past: true }],
      ['unplaced'],
    ],
    ['an index too high', [...good, { index: 5, peer: peerId(9) }], ['unknown-index']],
  ])('finds %s', (_, placed, expected) => {
    expect(verify(placed)).toEqual(expected);
  });

  test('counts what an operator ever had', () => {
    const together = [...on(0, 10, 2, 3, 4), { index: 3, peer: peerId(5), past: true }];
    expect(verify(together)).toEqual([]);
    const past = { index: 4, peer: peerId(10), past: true };
    expect(verify([...on(0, 10, 2, 3, 4), past])).toEqual(['one-shard-per-peer', 'operator-limit']);
  });

  test('says by how much, and leaves soft rules to the other one', () => {
    expect(verify(on(0, 4, 8, 12, 1))).toEqual([]);
    const [violation] = verifyPlacement({
      partition: partitionId(1),
      placed: on(0, 1, 2, 3, 0),
      facts,
      rules,
    });
    expect(violation?.message).toBe(`Peer ${peerId(0)} holds or has held shards 0, 4; one is allowed.`);
  });

  test('tells which soft rules present holders do not keep', () => {
    expect(spread(good)).toEqual([]);
    expect(spread(on(0, 4, 8, 12, 1))).toEqual([
      {
        rule: 'region',
        severity: 'soft',
        measured: 4,
        limit: 3,
        message: '4 shards lie in region c0/r0; at most 3 are wanted.',
      },
    ]);
    expect(spread(on(0, 2, 4, 6, 8)).map(({ rule }) => rule)).toEqual(['continent']);
    const past = on(0, 4, 8, 12, 1).map((holder) => ({ ...holder, past: true }));
    expect(spread([...good, ...past])).toEqual([]);
  });
});

describe('relations', () => {
  test('all shards of a partition complement each other; others do not', () => {
    const shard = (partition: number, index: number) => ({ partition: partitionId(partition), index });
    const [a, b, c, other] = [shard(1, 0), shard(1, 1), shard(1, 4), shard(2, 1)];
    const related = identifyComplementaryShards([a, b, other, c], partitionId(1));
    expect([...related]).toEqual([
      [a, [b, c]],
      [b, [a, c]],
      [c, [a, b]],
    ]);
    expect(complementsOf(1, 4)).toEqual([0, 2, 3]);
    expect([0, 1, 2, 3].map((index) => shardRole(index, 2))).toEqual([
      'primary',
      'primary',
      'parity',
      'parity',
    ]);
  });
});
