import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCatalog } from '@holdfast/catalog';
import { sampleJournal, samplePartitionId, sampleSnapshot } from '@holdfast/testing/catalog-samples';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './temporary.ts';

test('a package key is in no file any more once its partition is complete and the snapshot committed', async () => {
  const directory = temporaryDirectory();
  const packageKey = Buffer.from('the key of this package: 32 byte');
  const onDisk = (): boolean =>
    readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(packageKey));

  const catalog = await openCatalog(join(directory, 'catalog.db'));
  for (let n = 1; n <= 40; n++) {
    await catalog.journalPartition({
      ...sampleJournal(n),
      packageKey: n % 2 ? packageKey : Buffer.alloc(32, n),
    });
    await catalog.acknowledgeShards([{ partition: samplePartitionId(n), index: 1 }]);
  }
  await catalog.recordHead(1, Uint8Array.of(1));
  expect(onDisk()).toBe(true);
  for (let n = 1; n <= 40; n++) {
    if (n % 3) await catalog.completePartition(samplePartitionId(n));
    else await catalog.abandonPartition(samplePartitionId(n));
  }
  await catalog.commitSnapshot(sampleSnapshot(1));
  expect(onDisk()).toBe(false);
  await catalog.close();
  expect(onDisk()).toBe(false);
});
