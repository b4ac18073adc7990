import { writeSync } from 'node:fs';
import { MiB } from '@holdfast/contracts';
import { samplePeerId, sampleShard } from '@holdfast/testing/sample-shards';
import { DiskShardStore } from '../src/index.ts';

/** Puts shards as fast as it can, eight at a time, and says each label once it was acknowledged. Runs until killed. */
const [directory = '', first = '0'] = process.argv.slice(2);
const store = await DiskShardStore.open({ directory, capacityBytes: 2 ** 40, ownerQuotaBytes: 2 ** 40 });
const owner = samplePeerId('owner');
writeSync(1, 'ready\n');
let next = Number(first);
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (;;) {
      const label = next++;
      const shard = sampleShard(label, label % 4 === 0 ? MiB : 64 * 1024);
      await store.put(owner, shard);
      writeSync(1, `${label}\n`);
      if (label % 5 === 0)
        await store.putHead(owner, { sequence: label, bytes: shard.bytes.subarray(0, 999) }).catch(() => {});
      if (label % 7 === 3) {
        await store.delete(owner, shard.id);
        writeSync(1, `-${label}\n`);
      }
    }
  }),
);
