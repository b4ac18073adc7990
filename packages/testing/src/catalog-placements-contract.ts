import { type Catalog, PROBE_HOUR_MS, PROBE_HOURS_KEPT } from '@holdfast/contracts';
import { describe, expect, test } from 'vitest';
import { refused } from './catalog-records-contract.ts';
import {
  sampleJournal,
  sampleNote,
  samplePartitionId,
  samplePeerId,
  sampleStripe,
  sampleView,
} from './catalog-samples.ts';

/** What the catalog keeps of placements and of peers' answers. `setNow` sets its clock, which begins at 1 000. */
export function describePlacements(catalog: () => Catalog, setNow: (now: number) => void): void {
  const place = async (n: number, view: number, relaxed: readonly string[] = []): Promise<void> => {
    await catalog().journalPartition(sampleJournal(n), sampleNote(view, relaxed));
  };
  const records = async (...numbers: number[]) =>
    (await catalog().placements(numbers)).map((placement) => placement?.record);

  describe('swarm views', () => {
    test('are kept as they were, by peer id, and equal ones once', async () => {
      const view = sampleView(4);
      const ref = await catalog().recordSwarmView([...view].reverse());
      expect(await catalog().recordSwarmView(view)).toBe(ref);
      const sorted = [...view].sort((a, b) => (a.id < b.id ? -1 : 1));
      expect(await catalog().swarmView(ref)).toEqual(sorted);
      const other = await catalog().recordSwarmView(sampleView(4, { latencyMs: 0.001 }));
      expect(other).not.toBe(ref);
      expect((await catalog().swarmView(other))?.[0]?.latencyMs).toBe(0.001);
      expect(await catalog().swarmView(other + 1)).toBeNull();
    });
  });

  describe('placements', () => {
    test('are recorded with the journal, and stay when the partition is complete', async () => {
      const view = await catalog().recordSwarmView(sampleView(3));
      setNow(5_000);
      await place(1, view);
      await place(2, view, ['region', 'load']);
      const expected = (relaxed: string[]) => ({ ...sampleNote(view, relaxed), placedAt: 5_000, moves: [] });
      expect(await records(1, 2)).toEqual([expected([]), expected(['region', 'load'])]);
      setNow(6_000);
      await place(2, view, ['continent']);
      await catalog().completePartition(samplePartitionId(2));
      const holdings = [0, 1, 2].map((i) => {
        return { index: i, peer: samplePeerId(i), since: 5_000, past: false };
      });
      expect(await catalog().placements([3, 2, 1])).toEqual([
        null,
        { stripe: sampleStripe(2), complete: true, holdings, record: expected(['region', 'load']) },
        { stripe: sampleStripe(1), complete: false, holdings, record: expected([]) },
      ]);
      await refused('USAGE', catalog().placements(new Array(10_001).fill(1)));
    });

    test('are newest by number', async () => {
      expect(await catalog().newestPlacement()).toBeNull();
      const view = await catalog().recordSwarmView(sampleView(3));
      await place(9, view, ['load']);
      await place(2, view);
      await catalog().journalPartition(sampleJournal(12));
      await place(10, view, ['region']);
      expect((await catalog().newestPlacement())?.relaxations[0]?.rule).toBe('region');
      await catalog().abandonPartition(samplePartitionId(10));
      expect(await catalog().newestPlacement()).toEqual((await records(9))[0]);
    });

    test('without a record are null, also when a shard moves', async () => {
      const view = await catalog().recordSwarmView(sampleView(3));
      await catalog().journalPartition(sampleJournal(1));
      const note = { view, relaxations: sampleNote(view, ['region']).relaxations };
      await catalog().moveJournalledShard(samplePartitionId(1), 0, samplePeerId(8), note);
      expect(await records(1)).toEqual([null]);
      const none = { recorded: 0, relaxed: 0, rules: new Map() };
      expect(await catalog().placementTotals()).toEqual({ ...none, unrecorded: 1 });
      await catalog().completePartition(samplePartitionId(1));
      expect(await catalog().placementTotals()).toEqual({ ...none, unrecorded: 1 });
    });

    test('under a view that is not there are refused, and nothing of them is kept', async () => {
      await refused('NOT_FOUND', place(1, 1));
      expect(await catalog().journalledPartitions()).toEqual([]);
      expect(await catalog().partitionNumber(samplePartitionId(1))).toBeNull();
      const view = await catalog().recordSwarmView(sampleView(3));
      await place(1, view);
      const move = { view: view + 1, relaxations: [] };
      await refused(
        'NOT_FOUND',
        catalog().moveJournalledShard(samplePartitionId(1), 0, samplePeerId(8), move),
      );
      expect((await catalog().holders(samplePartitionId(1))).length).toBe(3);
      expect(await catalog().partitionNumber(samplePartitionId(1))).toBe(1);
    });

    test('remember under which view a shard moved, and what that relaxed', async () => {
      const [first, second, third] = [
        await catalog().recordSwarmView(sampleView(3)),
        await catalog().recordSwarmView(sampleView(4)),
        await catalog().recordSwarmView(sampleView(5)),
      ];
      const id = samplePartitionId(1);
      await place(1, first, ['region', 'load']);
      const again = [
        { rule: 'region', reason: 'more than ever' },
        { rule: 'continent', reason: 'only one' },
      ];
      await catalog().moveJournalledShard(id, 2, samplePeerId(8), { view: second, relaxations: again });
      await catalog().moveJournalledShard(id, 1, samplePeerId(7), { view: second, relaxations: [] });
      await catalog().moveJournalledShard(id, 2, samplePeerId(9), { view: third, relaxations: [] });
      await catalog().moveJournalledShard(id, 0, samplePeerId(6));
      const [placement] = await catalog().placements([1]);
      expect(placement?.record?.view).toBe(first);
      expect(placement?.record?.moves).toEqual([
        { index: 1, view: second },
        { index: 2, view: third },
      ]);
      expect(placement?.record?.relaxations).toEqual([
        again[0],
        { rule: 'load', reason: 'too little of load' },
        again[1],
      ]);
      expect(placement?.holdings.map(({ index, past }) => [index, past])).toEqual([
        ...[0, 1, 2].map((index) => [index, true]),
        ...[2].map((index) => [index, true]),
        ...[1, 2, 0].map((index) => [index, false]),
      ]);
    });

    test('are counted by rule, as long as they are in force', async () => {
      const view = await catalog().recordSwarmView(sampleView(3));
      expect(await catalog().placementTotals()).toEqual({
        recorded: 0,
        unrecorded: 0,
        relaxed: 0,
        rules: new Map(),
      });
      await catalog().journalPartition(sampleJournal(9));
      await place(1, view, ['region']);
      setNow(2_000);
      await place(2, view, ['region', 'load']);
      setNow(3_000);
      await place(3, view);
      await catalog().moveJournalledShard(samplePartitionId(3), 0, samplePeerId(8), {
        view,
        relaxations: sampleNote(view, ['load']).relaxations,
      });
      await catalog().moveJournalledShard(samplePartitionId(3), 1, samplePeerId(7), {
        view,
        relaxations: sampleNote(view, ['load']).relaxations,
      });
      await catalog().completePartition(samplePartitionId(2));
      const newest = (rule: string, n: number, at: number) => {
        return { at, partition: samplePartitionId(n), reason: `too little of ${rule}` };
      };
      expect(await catalog().placementTotals()).toEqual({
        recorded: 3,
        unrecorded: 1,
        relaxed: 3,
        rules: new Map([
          ['load', { placements: 2, newest: newest('load', 3, 3_000) }],
          ['region', { placements: 2, newest: newest('region', 2, 2_000) }],
        ]),
      });
      for (const n of [1, 1, 3, 2]) await catalog().abandonPartition(samplePartitionId(n));
      expect(await records(1, 2, 3)).toEqual([undefined, sampleRecord(view, 2_000), undefined]);
      expect(await catalog().placementTotals()).toEqual({
        recorded: 1,
        unrecorded: 1,
        relaxed: 1,
        rules: new Map([
          ['load', { placements: 1, newest: newest('load', 3, 3_000) }],
          ['region', { placements: 1, newest: newest('region', 2, 2_000) }],
        ]),
      });
    });

    test('that are no longer in force leave no rule behind', async () => {
      const view = await catalog().recordSwarmView(sampleView(3));
      await place(1, view, ['region']);
      await catalog().abandonPartition(samplePartitionId(1));
      const none = { recorded: 0, unrecorded: 0, relaxed: 0, rules: new Map() };
      expect(await catalog().placementTotals()).toEqual(none);
    });
  });

  describeProbes(catalog, setNow);
}

const sampleRecord = (view: number, placedAt: number) => ({
  ...sampleNote(view, ['region', 'load']),
  placedAt,
  moves: [],
});

function describeProbes(catalog: () => Catalog, setNow: (now: number) => void): void {
  describe('probes', () => {
    const [one, two] = [samplePeerId(1), samplePeerId(2)].sort() as [
      ReturnType<typeof samplePeerId>,
      ReturnType<typeof samplePeerId>,
    ];
    const start = 1000 * PROBE_HOUR_MS;
    const window = (peer: typeof one, since: number, counts: [number, number], trips: [number, number]) => ({
      peer,
      since,
      asked: counts[0],
      answered: counts[1],
      tripSumMs: trips[0],
      tripMinMs: trips[1],
    });

    test('are added up by peer and hour', async () => {
      setNow(start);
      const tick = 60_000;
      await catalog().recordProbes([
        { peer: two, at: start + tick, roundTripMs: 3 },
        { peer: one, at: start, roundTripMs: null },
      ]);
      await catalog().recordProbes([]);
      await catalog().recordProbes([
        { peer: one, at: start + 2 * tick, roundTripMs: 20.5 },
        { peer: one, at: start + 3 * tick, roundTripMs: 10.25 },
        { peer: one, at: start + PROBE_HOUR_MS, roundTripMs: 7 },
        { peer: two, at: start + 3 * tick, roundTripMs: 4 },
        { peer: one, at: start + PROBE_HOUR_MS - 1, roundTripMs: null },
      ]);
      const first = window(one, start, [4, 2], [30.75, 10.25]);
      const second = window(one, start + PROBE_HOUR_MS, [1, 1], [7, 7]);
      expect(await catalog().peerProbes(0)).toEqual([first, second, window(two, start, [2, 2], [7, 3])]);
      expect(await catalog().peerProbes(start + 1)).toEqual([second]);
      expect(await catalog().peers()).toEqual([]);
    });

    test('of long ago are merged into one window', async () => {
      setNow(start);
      await catalog().recordProbes([
        { peer: one, at: start, roundTripMs: 5 },
        { peer: one, at: start + PROBE_HOUR_MS, roundTripMs: null },
        { peer: one, at: start + 2 * PROBE_HOUR_MS, roundTripMs: 9 },
      ]);
      const kept = window(one, start + 2 * PROBE_HOUR_MS, [1, 1], [9, 9]);
      setNow(start + PROBE_HOURS_KEPT * PROBE_HOUR_MS);
      await catalog().recordProbes([]);
      expect((await catalog().peerProbes(0)).length).toBe(3);
      setNow(start + (PROBE_HOURS_KEPT + 2) * PROBE_HOUR_MS);
      await catalog().recordProbes([{ peer: two, at: start, roundTripMs: 1 }]);
      const merged = window(one, 0, [2, 1], [5, 5]);
      expect(await catalog().peerProbes(0)).toEqual([merged, kept, window(two, 0, [1, 1], [1, 1])]);
      expect(await catalog().peerProbes(1)).toEqual([kept]);
    });

    test('that make no sense are refused, all of the call', async () => {
      const good = { peer: one, at: start, roundTripMs: 5 };
      for (const bad of [{ at: -1 }, { at: Number.NaN }, { roundTripMs: -1 }, { roundTripMs: Infinity }]) {
        await refused('USAGE', catalog().recordProbes([good, { ...good, ...bad }]));
      }
      await refused('USAGE', catalog().recordProbes([{ ...good, roundTripMs: Number.NaN }]));
      expect(await catalog().peerProbes(0)).toEqual([]);
    });
  });
}
