import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openCatalog } from '@holdfast/catalog';
import type { Catalog, PartitionJournal } from '@holdfast/contracts';
import {
  sampleChunkId,
  sampleJournal,
  samplePartitionId,
  sampleSnapshot,
} from '@holdfast/testing/catalog-samples';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './temporary.ts';

const PER_PARTITION = 1_000;

/** Chunks `n` × 1000 …; the first of each partition is a chunk that all share. */
const large = (n: number): PartitionJournal => ({
  ...sampleJournal(n),
  frames: [
    {
      codec: 0,
      chunks: Array.from({ length: PER_PARTITION }, (_, i) => ({
        id: sampleChunkId(i === 0 ? 7 : n * PER_PARTITION + i),
        length: 10,
      })),
    },
  ],
});

async function complete(catalog: Catalog, ...numbers: number[]): Promise<void> {
  for (const n of numbers) {
    await catalog.journalPartition(large(n));
    await catalog.completePartition(samplePartitionId(n));
  }
}

const counted = (path: string): { chunk: number; frames: number } => {
  const database = new DatabaseSync(path, { readOnly: true });
  const count = (table: string): number =>
    Number(database.prepare(`select count(*) as n from ${table}`).get()?.n);
  const counts = { chunk: count('chunk'), frames: count('frames') };
  database.close();
  return counts;
};

test('chunks are found, once and where they were stored last, before and after they are indexed', async () => {
  const path = join(temporaryDirectory(), 'catalog.db');
  let catalog = await openCatalog(path);
  const check = async (partitions: number, last: number): Promise<void> => {
    const ids = Array.from({ length: partitions }, (_, n) => sampleChunkId((n + 2) * PER_PARTITION + 5));
    const found = await catalog.findChunks([...ids, sampleChunkId(7), sampleChunkId(8)]);
    const expected = ids.map((_, n) => ({ partition: n + 2, frame: 0, offset: 50, length: 10 }));
    expect(found).toEqual([...expected, { partition: last, frame: 0, offset: 0, length: 10 }, null]);
    expect((await catalog.totals()).chunks).toBe(partitions * (PER_PARTITION - 1) + 1);
  };

  // Completed out of order: the shared chunk is in the last of them.
  await complete(catalog, 4, 2, 3);
  expect(counted(path)).toEqual({ chunk: 0, frames: 3 });
  await check(3, 3);
  await catalog.close();
  catalog = await openCatalog(path);
  await check(3, 3);
  const reader = await openCatalog(path, { readonly: true });
  expect(await reader.findChunks([sampleChunkId(2_005), sampleChunkId(5_005)])).toEqual([
    { partition: 2, frame: 0, offset: 50, length: 10 },
    null,
  ]);

  await complete(catalog, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 18);
  const afterwards = counted(path);
  expect(afterwards.chunk).toBeGreaterThan(16_000);
  expect(afterwards.frames).toBeLessThan(3);
  await check(18, 18);
  expect(
    (await reader.findChunks([sampleChunkId(5_005), sampleChunkId(19_005)])).map((l) => l?.partition),
  ).toEqual([5, 19]);
  await reader.close();

  await catalog.commitSnapshot(sampleSnapshot(1));
  expect(counted(path)).toEqual({ chunk: 18 * (PER_PARTITION - 1) + 1, frames: 0 });
  await check(18, 18);
  await catalog.close();
});

test('a completion that fails leaves nothing to be found', async () => {
  const path = join(temporaryDirectory(), 'catalog.db');
  const catalog = await openCatalog(path);
  await catalog.journalPartition(large(2));
  const database = new DatabaseSync(path);
  database.exec(
    `create trigger refuse before update on counter when new.name = 'raw_bytes' begin select raise(abort, 'no'); end`,
  );
  await expect(catalog.completePartition(samplePartitionId(2))).rejects.toThrow('no');
  expect(await catalog.findChunks([sampleChunkId(7), sampleChunkId(2_005)])).toEqual([null, null]);
  expect((await catalog.totals()).chunks).toBe(0);
  expect((await catalog.journalledPartitions()).length).toBe(1);
  database.exec('drop trigger refuse');
  database.close();
  await catalog.completePartition(samplePartitionId(2));
  expect((await catalog.totals()).chunks).toBe(PER_PARTITION);
  await catalog.close();
});
