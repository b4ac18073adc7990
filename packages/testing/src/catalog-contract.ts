import type { Catalog } from '@holdfast/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describePlacements } from './catalog-placements-contract.ts';
import { describeRecords, refused } from './catalog-records-contract.ts';
import {
  sampleChunkId,
  sampleJournal,
  samplePartitionId,
  samplePeerId,
  sampleStripe,
} from './catalog-samples.ts';

export interface CatalogFixture {
  readonly catalog: Catalog;
  /** Closes and removes it. */
  remove(): Promise<void>;
}

/** Everything that the docstrings of the catalog port promise. `factory` makes an empty catalog on the clock given. */
export function describeCatalogContract(
  name: string,
  factory: (options: { clock: { now(): number } }) => Promise<CatalogFixture>,
): void {
  describe(`catalog contract: ${name}`, () => {
    let fixture: CatalogFixture;
    let catalog: Catalog;
    let now: number;
    beforeEach(async () => {
      now = 1_000;
      fixture = await factory({ clock: { now: () => now } });
      catalog = fixture.catalog;
    });
    afterEach(() => fixture.remove());

    const completed = async (n: number): Promise<void> => {
      await catalog.journalPartition(sampleJournal(n));
      await catalog.completePartition(samplePartitionId(n));
    };

    describe('chunks', () => {
      test('are found once their partition is complete, in the order asked', async () => {
        const journal = sampleJournal(1);
        await catalog.journalPartition(journal);
        const ids = [7, 99, 4, 5, 6, 4].map(sampleChunkId);
        expect(await catalog.findChunks(ids)).toEqual([null, null, null, null, null, null]);
        await catalog.completePartition(journal.stripe.id);
        expect(await catalog.findChunks(ids)).toEqual([
          { partition: 1, frame: 1, offset: 300, length: 400 },
          null,
          { partition: 1, frame: 0, offset: 0, length: 100 },
          { partition: 1, frame: 0, offset: 100, length: 200 },
          { partition: 1, frame: 1, offset: 0, length: 300 },
          { partition: 1, frame: 0, offset: 0, length: 100 },
        ]);
      });

      test('are not found when their partition was abandoned', async () => {
        await catalog.journalPartition(sampleJournal(1));
        await catalog.abandonPartition(samplePartitionId(1));
        expect(await catalog.findChunks([sampleChunkId(4)])).toEqual([null]);
      });

      test('stored again are found where they were stored last', async () => {
        await completed(1);
        await catalog.journalPartition({ ...sampleJournal(2), frames: sampleJournal(1).frames });
        await catalog.completePartition(samplePartitionId(2));
        expect((await catalog.findChunks([sampleChunkId(4)]))[0]?.partition).toBe(2);
        expect((await catalog.totals()).chunks).toBe(4);
        await catalog.completePartition(samplePartitionId(1));
        expect((await catalog.findChunks([sampleChunkId(4)]))[0]?.partition).toBe(2);
      });

      test('can be asked for 10 000 at a time, and not more', async () => {
        await completed(1);
        const ids = Array.from({ length: 10_000 }, (_, i) => sampleChunkId(10_000 - i));
        const found = await catalog.findChunks(ids);
        expect(found.length).toBe(10_000);
        expect(found.filter((location) => location !== null).length).toBe(4);
        await refused('USAGE', catalog.findChunks([...ids, sampleChunkId(1)]));
        expect(await catalog.findChunks([])).toEqual([]);
      });
    });

    describe('partition numbers', () => {
      test('are never given out twice', async () => {
        const firsts = await Promise.all([3, 1, 2].map((count) => catalog.reservePartitionNumbers(count)));
        const last = await catalog.reservePartitionNumbers(1);
        expect(firsts).toEqual([firsts[0], firsts[0]! + 3, firsts[0]! + 4]);
        expect(last).toBe(firsts[0]! + 6);
        await refused('USAGE', catalog.reservePartitionNumbers(0));
        await refused('USAGE', catalog.reservePartitionNumbers(1.5));
      });

      test('of partitions that came from elsewhere are skipped', async () => {
        await completed(40);
        expect(await catalog.reservePartitionNumbers(1)).toBe(41);
      });

      test('belong to one partition', async () => {
        await completed(1);
        await refused('ALREADY_EXISTS', catalog.journalPartition(sampleJournal(2, { number: 1 })));
        expect(await catalog.journalledPartitions()).toEqual([]);
      });
    });

    describe('the journal', () => {
      test('keeps everything until the partition is complete, by number', async () => {
        const [one, two] = [sampleJournal(1), { ...sampleJournal(2), acknowledged: [2] }];
        await catalog.journalPartition(two);
        await catalog.journalPartition(one);
        expect(await catalog.journalledPartitions()).toEqual([one, two]);
        expect(await catalog.stripes([1, 2])).toEqual([null, null]);
        expect(await catalog.completePartition(one.stripe.id)).toEqual(one.stripe);
        expect(await catalog.journalledPartitions()).toEqual([two]);
        expect(await catalog.stripes([2, 1, 7, 1])).toEqual([null, one.stripe, null, one.stripe]);
      });

      test('takes a repeated record for the same one, whatever happened since', async () => {
        const journal = sampleJournal(1);
        await catalog.journalPartition(journal);
        await catalog.acknowledgeShards([{ partition: journal.stripe.id, index: 1 }]);
        await catalog.journalPartition(journal);
        expect(await catalog.journalledPartitions()).toEqual([{ ...journal, acknowledged: [1] }]);
        await catalog.completePartition(journal.stripe.id);
        await catalog.journalPartition(journal);
        expect(await catalog.journalledPartitions()).toEqual([]);
        expect((await catalog.holders(journal.stripe.id)).length).toBe(3);
      });

      test('refuses other content under a used id', async () => {
        await catalog.journalPartition(sampleJournal(1));
        const { checksum } = sampleStripe(2);
        await refused('ALREADY_EXISTS', catalog.journalPartition(sampleJournal(1, { checksum })));
        await catalog.abandonPartition(samplePartitionId(1));
        await refused('ALREADY_EXISTS', catalog.journalPartition(sampleJournal(1)));
      });

      test('refuses a peer with two shards of the partition, and keeps nothing of it', async () => {
        const peers = [samplePeerId(1), samplePeerId(2), samplePeerId(1)];
        await refused('PLACEMENT_REFUSED', catalog.journalPartition(sampleJournal(1, { peers })));
        expect(await catalog.journalledPartitions()).toEqual([]);
        expect(await catalog.holders(samplePartitionId(1))).toEqual([]);
        await completed(1);
      });

      test('collects acknowledgements, ignoring unknown partitions, other indices and repetition', async () => {
        await catalog.journalPartition(sampleJournal(1));
        await catalog.journalPartition(sampleJournal(2));
        const [one, two, unknown] = [1, 2, 3].map(samplePartitionId);
        await catalog.acknowledgeShards([
          { partition: one!, index: 2 },
          { partition: unknown!, index: 0 },
          { partition: two!, index: 1 },
          { partition: one!, index: 0 },
          { partition: one!, index: 2 },
          { partition: one!, index: 3 },
          { partition: one!, index: -1 },
        ]);
        await catalog.acknowledgeShards([]);
        await catalog.acknowledgeShards([{ partition: one!, index: 0 }]);
        const journals = await catalog.journalledPartitions();
        expect(journals.map((journal) => journal.acknowledged)).toEqual([[0, 2], [1]]);
      });

      test('completes a partition once, and says NOT_FOUND for others', async () => {
        const journal = sampleJournal(1);
        await catalog.journalPartition(journal);
        expect(await catalog.completePartition(journal.stripe.id)).toEqual(journal.stripe);
        expect(await catalog.completePartition(journal.stripe.id)).toEqual(journal.stripe);
        await catalog.acknowledgeShards([{ partition: journal.stripe.id, index: 0 }]);
        expect((await catalog.totals()).partitions).toBe(1);
        await refused('NOT_FOUND', catalog.completePartition(samplePartitionId(2)));
      });

      test('drops abandoned partitions but not complete ones', async () => {
        await catalog.journalPartition(sampleJournal(1));
        await completed(2);
        for (const n of [1, 1, 2, 3]) await catalog.abandonPartition(samplePartitionId(n));
        expect(await catalog.journalledPartitions()).toEqual([]);
        expect(await catalog.stripes([1, 2])).toEqual([null, sampleStripe(2)]);
        expect((await catalog.holders(samplePartitionId(1))).length).toBe(3);
        await refused('NOT_FOUND', catalog.completePartition(samplePartitionId(1)));
        await refused('NOT_FOUND', catalog.moveJournalledShard(samplePartitionId(1), 0, samplePeerId(9)));
      });
    });

    describe('holders', () => {
      const id = samplePartitionId(1);

      test('are those of the first placement, then those that followed', async () => {
        await catalog.journalPartition(sampleJournal(1));
        now = 2_000;
        await catalog.moveJournalledShard(id, 1, samplePeerId(7));
        await catalog.moveJournalledShard(id, 1, samplePeerId(7));
        now = 3_000;
        await catalog.moveJournalledShard(id, 0, samplePeerId(8));
        const expected = [
          { index: 0, peer: samplePeerId(0), since: 1_000 },
          { index: 1, peer: samplePeerId(1), since: 1_000 },
          { index: 2, peer: samplePeerId(2), since: 1_000 },
          { index: 1, peer: samplePeerId(7), since: 2_000 },
          { index: 0, peer: samplePeerId(8), since: 3_000 },
        ];
        expect(await catalog.holders(id)).toEqual(expected);
        const stripe = sampleStripe(1, { peers: [samplePeerId(8), samplePeerId(7), samplePeerId(2)] });
        expect((await catalog.journalledPartitions())[0]?.stripe).toEqual(stripe);
        expect(await catalog.completePartition(id)).toEqual(stripe);
        expect(await catalog.stripes([1])).toEqual([stripe]);
        expect(await catalog.holders(id)).toEqual(expected);
        expect(await catalog.holders(samplePartitionId(2))).toEqual([]);
      });

      test('may get the same shard again, and no other', async () => {
        await catalog.journalPartition(sampleJournal(1));
        await catalog.moveJournalledShard(id, 1, samplePeerId(7));
        await refused('PLACEMENT_REFUSED', catalog.moveJournalledShard(id, 0, samplePeerId(1)));
        await refused('PLACEMENT_REFUSED', catalog.moveJournalledShard(id, 0, samplePeerId(2)));
        await catalog.moveJournalledShard(id, 1, samplePeerId(1));
        expect((await catalog.journalledPartitions())[0]?.stripe).toEqual(sampleStripe(1));
        expect((await catalog.holders(id)).length).toBe(4);
      });

      test('of acknowledged shards stay', async () => {
        await catalog.journalPartition(sampleJournal(1));
        await catalog.acknowledgeShards([{ partition: id, index: 1 }]);
        await refused('USAGE', catalog.moveJournalledShard(id, 1, samplePeerId(7)));
        await catalog.moveJournalledShard(id, 1, samplePeerId(1));
        await catalog.completePartition(id);
        await refused('USAGE', catalog.moveJournalledShard(id, 2, samplePeerId(7)));
        await refused('USAGE', catalog.moveJournalledShard(id, 3, samplePeerId(7)));
        await refused('NOT_FOUND', catalog.moveJournalledShard(samplePartitionId(2), 0, samplePeerId(7)));
        expect((await catalog.holders(id)).length).toBe(3);
      });
    });

    describeRecords(() => catalog);
    describePlacements(
      () => catalog,
      (to) => {
        now = to;
      },
    );

    describe('in general', () => {
      test('totals count complete partitions and their present holders', async () => {
        const none = { snapshots: 0, partitions: 0, chunks: 0, shards: 0, storedBytes: 0, rawBytes: 0 };
        expect(await catalog.totals()).toEqual({ ...none, shardsByPeer: new Map() });
        await catalog.journalPartition(sampleJournal(1));
        await catalog.moveJournalledShard(samplePartitionId(1), 0, samplePeerId(7));
        expect(await catalog.totals()).toEqual({ ...none, shardsByPeer: new Map() });
        await catalog.completePartition(samplePartitionId(1));
        await completed(2);
        const shardsByPeer = new Map([7, 1, 2, 0].map((n) => [samplePeerId(n), n === 7 || n === 0 ? 1 : 2]));
        expect(await catalog.totals()).toEqual({
          snapshots: 0,
          partitions: 2,
          chunks: 8,
          shards: 6,
          storedBytes: 6 * 65_536,
          rawBytes: 6_003,
          shardsByPeer,
        });
      });

      test('results are the caller’s, and arguments are not kept', async () => {
        const journal = sampleJournal(1);
        await catalog.journalPartition(journal);
        journal.packageKey.fill(0);
        const [read] = await catalog.journalledPartitions();
        read!.packageKey.fill(1);
        expect((await catalog.journalledPartitions())[0]?.packageKey).toEqual(sampleJournal(1).packageKey);
        const bytes = Uint8Array.of(1);
        await catalog.recordHead(1, bytes);
        bytes[0] = 9;
        (await catalog.head())!.bytes[0] = 8;
        expect((await catalog.head())?.bytes).toEqual(Uint8Array.of(1));
      });

      test('methods may run side by side', async () => {
        const numbers = Array.from({ length: 30 }, (_, i) => i + 1);
        await Promise.all(
          numbers.map(async (n) => {
            await catalog.journalPartition(sampleJournal(n));
            await catalog.acknowledgeShards([{ partition: samplePartitionId(n), index: 0 }]);
            await Promise.all([catalog.completePartition(samplePartitionId(n)), catalog.totals()]);
            await catalog.countPeerEvent(samplePeerId(1), 'stored');
          }),
        );
        expect((await catalog.totals()).partitions).toBe(30);
        expect((await catalog.peerEvents()).get(samplePeerId(1))).toEqual({ stored: 30 });
        expect((await catalog.stripes(numbers)).every((stripe) => stripe !== null)).toBe(true);
      });
    });
  });
}
