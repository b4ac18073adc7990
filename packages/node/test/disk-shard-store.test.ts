import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ShardId } from '@holdfast/contracts';
import { shardStoreContract } from '@holdfast/testing/shard-store-contract';
import { DiskShardStore } from '../src/index.ts';

async function flipBit(directory: string, id: ShardId): Promise<void> {
  const bucket = join(directory, 'shards', id.slice(0, 3));
  const name = (await readdir(bucket)).find((entry) => entry.startsWith(id))!;
  await using file = await open(join(bucket, name), 'r+');
  const byte = new Uint8Array(1);
  await file.read(byte, 0, 1, 5);
  byte[0] = byte[0]! ^ 4;
  await file.write(byte, 0, 1, 5);
}

shardStoreContract('disk', async (options) => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-store-'));
  const capacityBytes = options.capacityBytes ?? Number.MAX_SAFE_INTEGER;
  const ownerQuotaBytes = options.ownerQuotaBytes ?? capacityBytes;
  return {
    store: await DiskShardStore.open({ directory, capacityBytes, ownerQuotaBytes }),
    damage: (id) => flipBit(directory, id),
    dispose: () => rm(directory, { recursive: true }),
  };
});
