import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { PartitionId } from '@holdfast/contracts';
import { matrixBytesAtMost, RelationshipMatrix } from '@holdfast/placement/relations';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HolderSlots } from '../src/relations/holder-slots.ts';
import { IdTable } from '../src/relations/id-table.ts';
import { LinkedRecords } from '../src/relations/linked-records.ts';
import { codeOf, partitionId, peerId } from './swarm.ts';

const rules = { separateSiblings: true, separationWindows: 30, windowHours: 24 };

/** Looks random and is not, so that the table's sizes are the same at every run. */
const scattered = (n: number): PartitionId => {
  const word = (by: number) => (Math.imul(n + by, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
  const digits = word(1) + word(77) + word(4242) + word(90001);
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5') as PartitionId;
};

/** V8 counts the memory behind typed arrays exactly, once garbage is out of the way. */
function arrayBufferBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}

const PEERS = Array.from({ length: 1001 }, (_, n) => peerId(n));

function filled(partitions: number, each: { related: boolean }): RelationshipMatrix {
  const matrix = new RelationshipMatrix(rules);
  for (let p = 0; p < partitions; p++) {
    const id = scattered(p);
    const dependencies =
      each.related && p % 2 === 1 ? [{ kind: 'sibling-columns' as const, partition: scattered(p - 1) }] : [];
    matrix.add({
      id,
      k: 10,
      n: 14,
      dependencies,
      peers: Array.from({ length: 14 }, (_, i) => PEERS[(p + 7 * i) % 1000]!),
    });
    if (each.related && p % 4 === 0)
      matrix.move(id, p % 14, PEERS[(p + 7 * (p % 14)) % 1000]!, PEERS[1000]!, 1e12);
  }
  return matrix;
}

test.each([
  [7_143, true],
  [71_429, true],
  [35_000, false],
])(
  '%i partitions of 10 + 4 take no more bytes than stated, and all that they take is counted',
  (partitions, related) => {
    filled(10, { related });
    const before = arrayBufferBytes();
    const matrix = filled(partitions, { related });
    const taken = arrayBufferBytes() - before;
    expect(matrix.shards).toBe(14 * partitions);
    const most = matrixBytesAtMost({
      partitions,
      shards: matrix.shards,
      dependencies: related ? partitions / 2 : 0,
      otherHolders: related ? partitions / 4 + 1 : 0,
    });
    expect(matrix.bytes).toBeLessThanOrEqual(most);
    // Other things of this process come and go by some kilobytes.
    expect(Math.abs(taken - matrix.bytes)).toBeLessThan(64 * 1024);
  },
);

test('at 10^8 shards of 10 + 4 the bound is 6 bytes each, and 6.8 with a dependency a partition and 1 % moved', () => {
  const [partitions, shards] = [1e8 / 14, 1e8];
  expect(matrixBytesAtMost({ partitions, shards }) / shards).toBeLessThan(6);
  const rich = matrixBytesAtMost({ partitions, shards, dependencies: partitions, otherHolders: 1e6 });
  expect(rich / shards).toBeLessThan(6.8);
});

test('the table finds what is in it, whatever came and went', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 40 }), { maxLength: 120 }), fc.boolean(), (toggled, inOneSegment) => {
      const table = new IdTable();
      const there = new Map<PartitionId, number>();
      const ids = inOneSegment ? CROWD : Array.from({ length: 41 }, (_, n) => partitionId(n));
      for (const n of toggled) {
        const id = ids[n]!;
        const number = there.get(id);
        if (number === undefined) there.set(id, table.add(id));
        else table.remove(number);
        if (number !== undefined) there.delete(id);
        for (const other of ids) expect(table.find(other)).toBe(there.get(other) ?? 0);
      }
      expect(table.count).toBe(there.size);
      expect(new Set(there.values()).size).toBe(there.size);
      for (const [id, number] of there) expect(table.idOf(number)).toBe(id);
    }),
    { numRuns: 150, seed: 7 },
  );
});

/** Ids that share one of the 1 024 segments, so that they collide: found by how the table grows. */
const CROWD: PartitionId[] = [];
{
  const empty = new IdTable().bytes;
  const first = partitionId(1);
  for (let n = 1; CROWD.length < 41; n++) {
    const table = new IdTable();
    table.add(first);
    const alone = table.bytes;
    if (n > 1) table.add(partitionId(n));
    if (table.bytes === alone && alone > empty) CROWD.push(partitionId(n));
  }
}

test('slots: wide where a number needs it, freed runs are reused for the same length, and there is an end', () => {
  const slots = new HolderSlots();
  const [a, b] = [slots.allocate(3), slots.allocate(3)];
  expect([a, b]).toEqual([0, 3]);
  for (const slot of [0, 1, 2]) slots.set(slot, slot + 1);
  const narrow = slots.bytes;
  slots.set(4, 65_535);
  expect(slots.bytes).toBe(narrow);
  slots.set(5, 65_536);
  expect(slots.bytes).toBe(2 * narrow);
  expect([0, 1, 2, 3, 4, 5].map((slot) => slots.get(slot))).toEqual([1, 2, 3, 0, 65_535, 65_536]);
  slots.release(b, 3);
  slots.release(a, 3);
  expect(slots.allocate(4)).toBe(6);
  expect([slots.allocate(3), slots.allocate(3), slots.allocate(3)]).toEqual([0, 3, 10]);
  expect([0, 1, 2, 3, 4, 5].map((slot) => slots.get(slot))).toEqual([0, 0, 0, 0, 0, 0]);
  const far = slots.allocate(2 ** 32 - 20);
  expect(slots.get(far + 2 ** 31)).toBe(0);
  expect(codeOf(() => slots.allocate(7))).toBe('USAGE');
  expect(slots.allocate(6)).toBe(far + 2 ** 32 - 20);
});

test('slots: the chain of free runs survives positions beyond 16 bits', () => {
  const slots = new HolderSlots();
  slots.allocate(100_001);
  const [a, b] = [slots.allocate(2), slots.allocate(2)];
  slots.release(a, 2);
  slots.release(b, 2);
  expect([slots.allocate(2), slots.allocate(2), slots.allocate(2)]).toEqual([b, a, b + 2]);
});

test('linked records: any of a list can go, and room is used again', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 5 })), { maxLength: 60 }), (steps) => {
      const records = new LinkedRecords();
      const lists: number[][] = [[], [], [], []];
      let most = 0;
      for (const [owner, which] of steps) {
        const list = lists[owner]!;
        if (which < list.length) records.drop(owner, list.splice(which, 1)[0]!);
        else list.unshift(records.push(owner));
        most = Math.max(most, lists.flat().length);
        for (const [each, expected] of lists.entries()) {
          const found: number[] = [];
          for (let record = records.first(each); record !== 0; record = records.next(record))
            found.push(record);
          expect(found).toEqual(expected);
        }
      }
      expect(Math.max(0, ...lists.flat())).toBeLessThanOrEqual(most);
    }),
    { numRuns: 200, seed: 11 },
  );
});
