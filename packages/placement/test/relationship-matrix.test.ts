import type { PartitionId, PeerId } from '@holdfast/contracts';
import { type PartitionFacts, RelationshipMatrix } from '@holdfast/placement/relations';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NaiveMatrix } from './naive-matrix.ts';
import { codeOf, partitionId, peerId } from './swarm.ts';

const HOUR = 3_600_000;
const rules = { separateSiblings: true, separationWindows: 3, windowHours: 1 };

const id = fc.nat({ max: 4 }).map(partitionId);
const peer = fc.nat({ max: 5 }).map(peerId);
const index = fc.nat({ max: 2 });
const time = fc.oneof(
  fc.nat({ max: 9 * HOUR }),
  fc.nat({ max: 9 }).map((hours) => hours * HOUR),
);
const dependency = fc.record({
  kind: fc.constantFrom(
    'sibling-columns' as const,
    'sibling-columns' as const,
    'follows' as const,
    'part-of' as const,
  ),
  partition: id,
});
const facts = fc
  .record({
    id,
    k: fc.integer({ min: 2, max: 3 }),
    m: fc.nat({ max: 2 }),
    copies: fc.integer({ min: 1, max: 2 }),
    dependencies: fc.array(dependency, { maxLength: 2, size: 'max' }),
    peers: fc.array(fc.option(peer), { maxLength: 3, size: 'max' }),
  })
  .map(({ k, m, ...rest }): PartitionFacts => ({ ...rest, k, n: k + m }));

type Either = RelationshipMatrix | NaiveMatrix;
/** What to do, decided by what there is, so that most steps find something to do. */
type Step = (there: NaiveMatrix) => (matrix: Either) => unknown;

const anyStep = fc.record({
  p: id,
  q: id,
  i: index,
  who: peer,
  from: fc.nat({ max: 9 }),
  at: time,
  given: facts,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  ...(
    [
      [
        8,
        ({ given }) =>
          () =>
          (matrix) =>
            matrix.add(given),
      ],
      [
        6,
        ({ p, i, who }) =>
          () =>
          (matrix) =>
            matrix.hold(p, i, who),
      ],
      [
        4,
        ({ p, i, who, at }) =>
          () =>
          (matrix) =>
            matrix.markFormer(p, i, who, at),
      ],
      [
        8,
        ({ p, from, who, at }) =>
          (there) => {
            const holders = there.known.has(p) ? there.holdings(p) : [];
            const { index: i, peer: giver } = holders[from % holders.length] ?? { index: 0, peer: who };
            return (matrix) => matrix.move(p, i, giver, who, at);
          },
      ],
      [
        1,
        ({ p }) =>
          () =>
          (matrix) =>
            matrix.remove(p),
      ],
      [
        1,
        ({ p, q }) =>
          () =>
          (matrix) =>
            matrix.rekey(p, q),
      ],
      [
        1,
        ({ at }) =>
          () =>
          (matrix) =>
            matrix.forgetExpired(at),
      ],
    ] satisfies [number, (any: FromArbitrary<typeof anyStep>) => Step][]
  ).map(([weight, make]) => ({ weight, arbitrary: anyStep.map(make) })),
);
type FromArbitrary<A> = A extends fc.Arbitrary<infer T> ? T : never;

const text = ({
  index: i,
  peer: who,
  until,
}: {
  index: number;
  peer: PeerId;
  until?: number | null | undefined;
}) => `${i} ${who} ${until ?? 'still'}`;

function compare(matrix: RelationshipMatrix, naive: NaiveMatrix, now: number): void {
  const ids = [...naive.known.keys()];
  expect(matrix.partitions).toBe(ids.length);
  const positions = ids.flatMap((partition) => [0, 1].map((i) => ({ partition, index: i })));
  for (const partition of ids) {
    const { n } = naive.known.get(partition)!.facts;
    expect(matrix.has(partition)).toBe(true);
    expect(matrix.dependenciesOf(partition)).toEqual(naive.dependencies(partition));
    expect(matrix.siblingsOf(partition).sort()).toEqual(naive.siblings(partition));
    expect(matrix.holdings(partition).map(text).sort()).toEqual(naive.holdings(partition).map(text).sort());
    const few = [peerId(0), peerId(2), peerId(3)];
    const isOne = (who: PeerId) => few.includes(who);
    expect(matrix.indicesHeldBy(partition, isOne, now)).toEqual(naive.indices(partition, few, now));
    for (const i of [0, n - 1]) {
      expect([...matrix.barred(partition, i, now)].sort()).toEqual(naive.barred(partition, i, now));
    }
  }
  const all = ids.flatMap((partition) =>
    Array.from({ length: naive.known.get(partition)!.facts.n }, (_, i) => ({ partition, index: i })),
  );
  for (const a of positions) {
    for (const b of positions) expect(matrix.relation(a, b)).toBe(naive.relation(a, b));
    const complements = all
      .filter((b) => naive.relation(a, b) === 'complementary')
      .map(nameOf)
      .sort();
    expect(matrix.complementsOf(a).map(nameOf).sort()).toEqual(complements);
    expect(matrix.identifyComplementaryShards(a.partition).get(a.index)!.map(nameOf).sort()).toEqual(
      complements,
    );
  }
  const shards = ids.map((p) => naive.known.get(p)!.facts).reduce((sum, f) => sum + f.n * (f.copies ?? 1), 0);
  expect(matrix.shards).toBe(shards);
}

const nameOf = ({ partition, index: i }: { partition: PartitionId; index: number }) => `${partition} ${i}`;

describe('a relationship matrix', () => {
  test.each([true, false])('answers as the naive one does, siblings apart: %s', (separateSiblings) => {
    let [done, refused, linked, barred] = [0, 0, 0, 0];
    fc.assert(
      fc.property(fc.array(step, { minLength: 15, maxLength: 60, size: 'max' }), time, (steps, now) => {
        const matrix = new RelationshipMatrix({ ...rules, separateSiblings });
        const naive = new NaiveMatrix({ ...rules, separateSiblings });
        for (const next of steps) {
          const apply = next(naive);
          const expected = apply(naive) ?? null;
          expect(codeOf(() => apply(matrix))).toBe(expected);
          if (expected === null) done += 1;
          else refused += 1;
        }
        compare(matrix, naive, now);
        for (const partition of naive.known.keys()) {
          if (naive.siblings(partition).length > 1) linked += 1;
          if (naive.barred(partition, 0, now).length > 1) barred += 1;
        }
      }),
      { numRuns: 400, seed: 4 },
    );
    expect(Math.min(done, refused, linked, barred)).toBeGreaterThan(200);
  });

  test('is empty again once all partitions are removed, and takes no more room the second time', () => {
    const matrix = new RelationshipMatrix(rules);
    const fill = (round: number) => {
      for (let p = 0; p < 3000; p++) {
        const dependencies = [{ kind: 'sibling-columns' as const, partition: partitionId(round + (p ^ 1)) }];
        const partition = partitionId(round + p);
        matrix.add({ id: partition, k: 2, n: 4, dependencies, peers: [peerId(p % 9), null] });
        matrix.markFormer(partition, 1, peerId(p % 5), 0);
      }
    };
    fill(0);
    const { bytes } = matrix;
    for (let round = 1; round < 8; round++) {
      for (let p = 0; p < 3000; p++) matrix.remove(partitionId((round - 1) * 3000 + p));
      expect([matrix.partitions, matrix.shards]).toEqual([0, 0]);
      fill(round * 3000);
    }
    // The hash table's segments may differ by a few slots; nothing else may grow.
    expect(matrix.bytes).toBeLessThan(bytes * 1.02);
  });

  test('says primary or parity, and lets a former holder in again when its time is over', () => {
    const matrix = new RelationshipMatrix({
      separateSiblings: false,
      separationWindows: 30,
      windowHours: 24,
    });
    const partition = partitionId(1);
    matrix.add({ id: partition, k: 2, n: 3, peers: [peerId(1), peerId(2), peerId(3)] });
    expect([0, 1, 2].map((i) => matrix.role({ partition, index: i }))).toEqual([
      'primary',
      'primary',
      'parity',
    ]);
    const moved = 1_000_000_000_000;
    matrix.move(partition, 0, peerId(1), peerId(4), moved);
    const span = 30 * 24 * HOUR;
    const isBarred = (i: number, now: number) => matrix.barred(partition, i, now).has(peerId(1));
    expect([isBarred(1, moved), isBarred(1, moved + span - 1), isBarred(1, moved + span)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(isBarred(0, moved)).toBe(false);
    matrix.forgetExpired(moved + span - 1);
    expect(matrix.holdings(partition)).toHaveLength(4);
    matrix.forgetExpired(moved + span);
    expect(matrix.holdings(partition)).toHaveLength(3);
  });

  test('never lets a former holder off early: times are rounded up', () => {
    const matrix = new RelationshipMatrix(rules);
    const partition = partitionId(1);
    matrix.add({ id: partition, k: 2, n: 3 });
    matrix.markFormer(partition, 0, peerId(1), 1001);
    expect(matrix.barred(partition, 1, 1001 + 3 * HOUR - 1).has(peerId(1))).toBe(true);
    expect(matrix.holdings(partition)).toEqual([{ index: 0, peer: peerId(1), until: 2000 }]);
  });

  test('links siblings through partitions that come later, or are gone', () => {
    const matrix = new RelationshipMatrix(rules);
    const [a, b, c] = [partitionId(1), partitionId(2), partitionId(3)];
    const sibling = (partition: PartitionId) => [{ kind: 'sibling-columns' as const, partition }];
    matrix.add({ id: a, k: 2, n: 2, dependencies: sibling(b) });
    matrix.add({ id: c, k: 2, n: 2, dependencies: sibling(b) });
    expect(matrix.siblingsOf(a)).toEqual([c]);
    expect(matrix.has(b)).toBe(false);
    matrix.add({ id: b, k: 2, n: 2, peers: [peerId(1)] });
    expect(matrix.siblingsOf(a).sort()).toEqual([b, c]);
    expect(matrix.barred(a, 0, 0)).toEqual(new Set([peerId(1)]));
    expect(matrix.siblingHoldings(a)).toEqual([{ index: 0, peer: peerId(1) }]);
    matrix.remove(b);
    expect(matrix.siblingsOf(a)).toEqual([c]);
    expect(matrix.barred(a, 0, 0)).toEqual(new Set());
  });

  const partition = partitionId(1);
  const good: PartitionFacts = { id: partition, k: 2, n: 4 };
  test.each<[string, string, (matrix: RelationshipMatrix) => unknown]>([
    ['an id that is none', 'USAGE', (m) => m.add({ ...good, id: 'x' as PartitionId })],
    ['k below 2', 'USAGE', (m) => m.add({ ...good, id: partitionId(2), k: 1 })],
    ['n below k', 'USAGE', (m) => m.add({ ...good, id: partitionId(2), k: 5 })],
    ['n above 255', 'USAGE', (m) => m.add({ ...good, id: partitionId(2), n: 256 })],
    ['a broken n', 'USAGE', (m) => m.add({ ...good, id: partitionId(2), n: Number.NaN })],
    ['no copies', 'USAGE', (m) => m.add({ ...good, id: partitionId(2), copies: 0 })],
    [
      'too many peers',
      'USAGE',
      (m) => m.add({ ...good, id: partitionId(2), peers: new Array(5).fill(null) }),
    ],
    [
      'a peer twice for one shard',
      'USAGE',
      (m) => {
        const peers = [peerId(1), null, null, null, peerId(1)];
        m.add({ ...good, id: partitionId(2), copies: 2, peers });
      },
    ],
    ['a nameless peer', 'USAGE', (m) => m.add({ ...good, id: partitionId(2), peers: ['' as PeerId] })],
    [
      'an unknown dependency',
      'USAGE',
      (m) => {
        const dependencies = [{ kind: 'likes' as 'follows', partition: partitionId(3) }];
        m.add({ ...good, id: partitionId(2), dependencies });
      },
    ],
    [
      'a dependency on nothing',
      'USAGE',
      (m) => {
        const dependencies = [{ kind: 'follows' as const, partition: '' as PartitionId }];
        m.add({ ...good, id: partitionId(2), dependencies });
      },
    ],
    ['a partition twice', 'ALREADY_EXISTS', (m) => m.add(good)],
    ['an unknown partition', 'NOT_FOUND', (m) => m.barred(partitionId(2), 0, 0)],
    ['an id that is none, asked for', 'NOT_FOUND', (m) => m.holdings('' as PartitionId)],
    [
      'an id without hyphens',
      'NOT_FOUND',
      (m) => m.holdings(`${partition}`.replaceAll('-', '.') as PartitionId),
    ],
    ['an id that goes on', 'NOT_FOUND', (m) => m.holdings(`${partition}-` as PartitionId)],
    ['an id cut short', 'NOT_FOUND', (m) => m.holdings('00000000' as PartitionId)],
    ['an id in upper case', 'NOT_FOUND', (m) => m.holdings(partitionId(10).toUpperCase() as PartitionId)],
    ['an id of other letters', 'NOT_FOUND', (m) => m.holdings(partition.replace('1', 'é') as PartitionId)],
    ['a move from nobody', 'USAGE', (m) => m.move(partition, 1, '' as PeerId, peerId(5), 0)],
    ['an index too high', 'USAGE', (m) => m.complementsOf({ partition, index: 4 })],
    ['an index below 0', 'USAGE', (m) => m.role({ partition, index: -1 })],
    ['a broken index', 'USAGE', (m) => m.hold(partition, 0.5, peerId(1))],
    ['a nameless holder', 'USAGE', (m) => m.hold(partition, 0, '' as PeerId)],
    ['a nameless former holder', 'USAGE', (m) => m.markFormer(partition, 0, '' as PeerId, 0)],
    ['a move to nobody', 'USAGE', (m) => m.move(partition, 1, peerId(2), '' as PeerId, 0)],
    ['a time before 1970', 'USAGE', (m) => m.markFormer(partition, 0, peerId(1), -1)],
    ['a time after 2106', 'USAGE', (m) => m.markFormer(partition, 0, peerId(1), 2 ** 32 * 1000)],
    ['no time', 'USAGE', (m) => m.move(partition, 1, peerId(2), peerId(3), Number.NaN)],
    ['no time to judge at', 'USAGE', (m) => m.barred(partition, 0, Number.NaN)],
    ['no time to count at', 'USAGE', (m) => m.indicesHeldBy(partition, () => true, Number.NaN)],
    ['no time to forget at', 'USAGE', (m) => m.forgetExpired(Number.NaN)],
    ['a name that is taken', 'ALREADY_EXISTS', (m) => m.rekey(partition, partitionId(9))],
  ])('refuses %s, and changes nothing', (_, code, call) => {
    const matrix = new RelationshipMatrix(rules);
    const zero = '00000000-0000-0000-0000-000000000000' as PartitionId;
    matrix.add({ id: zero, k: 2, n: 2 });
    matrix.add({ ...good, id: partitionId(9) });
    matrix.add({ ...good, id: partitionId(10) });
    matrix.add({ ...good, peers: [peerId(1), peerId(2)] });
    const before = matrix.holdings(partition);
    expect(codeOf(() => call(matrix))).toBe(code);
    expect(matrix.holdings(partition)).toEqual(before);
    expect([matrix.partitions, matrix.shards, matrix.has(partitionId(2))]).toEqual([4, 14, false]);
  });

  test.each([0, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s windows', (separationWindows) => {
    expect(codeOf(() => new RelationshipMatrix({ ...rules, separationWindows }))).toBe('USAGE');
  });
});
