import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OwnerId, ShardId } from '@holdfast/contracts';
import {
  hashOf,
  sampleBytes,
  samplePeerId,
  sampleShard,
  sampleShardId,
} from '@holdfast/testing/sample-shards';
import { seededRandom } from '@holdfast/testing/seeded-random';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskShardStore } from '../src/index.ts';
import { VolatileFiles } from './volatile-files.ts';

const owner = samplePeerId('owner');
const LIMITS = { capacityBytes: 2 ** 40, ownerQuotaBytes: 2 ** 40 };
const RUNS = 150;
let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'holdfast-power-'));
});
afterAll(() => rm(base, { recursive: true }));

/** What the owner was told, which must hold after the power came back. */
interface Promised {
  readonly stored: Map<number, number>;
  /** Deletion was asked for: the shard may be there or not. */
  readonly doubtful: Set<number>;
  head: number;
}

/** Eight clients put, prolong, delete and set heads until the power goes off after `steps` steps of the disk. */
async function workUntilPowerLoss(
  seed: number,
): Promise<{ promised: Promised; disk: VolatileFiles; choose: (n: number) => number }> {
  const random = seededRandom(seed);
  const choose = (n: number): number => Math.floor(random.uniform() * n);
  let left = 20 + choose(250);
  let switchOff: () => void;
  const off = new Promise<void>((resolve) => {
    switchOff = resolve;
  });
  const directory = join(base, `${seed}`);
  const disk = new VolatileFiles(directory, async (step) => {
    if (left-- <= 0) {
      switchOff();
      await new Promise(() => {});
    }
    // A sync takes long now and then: what does not wait for it must be found out.
    const slow = step === 'sync' && choose(4) === 0;
    for (let turns = slow ? 60 : choose(4); turns > 0; turns--) await null;
  });
  const promised: Promised = { stored: new Map(), doubtful: new Set(), head: -1 };
  await mkdir(directory);
  const client = async (store: DiskShardStore, number: number): Promise<void> => {
    for (let i = number; ; i += 8) {
      const lease = choose(1_000);
      await store.put(owner, sampleShard(i, 64 * 1024, lease));
      promised.stored.set(i, lease);
      if (choose(3) === 0) {
        const head = { sequence: i, bytes: sampleBytes(i, 50) };
        if ((await store.putHead(owner, head).catch(() => 'stale')) === undefined)
          promised.head = Math.max(promised.head, i);
      }
      if (choose(3) === 0) {
        await store.lease(owner, [sampleShardId(i)], lease + 500);
        promised.stored.set(i, lease + 500);
      }
      if (choose(4) === 0) {
        promised.doubtful.add(i);
        await store.delete(owner, sampleShardId(i));
      }
    }
  };
  const work = async (): Promise<void> => {
    const store = await DiskShardStore.open({ directory, ...LIMITS, files: disk });
    await Promise.race(Array.from({ length: 8 }, (_, number) => client(store, number)));
  };
  await Promise.race([off, work()]);
  return { promised, disk, choose };
}

async function check(store: DiskShardStore, promised: Promised, ownerId: OwnerId): Promise<void> {
  const listed = await store.list(ownerId, { limit: 10_000 });
  const here = new Map<ShardId, number>(listed.map((shard) => [shard.id, shard.leaseUntil]));
  for (const [label, lease] of promised.stored) {
    if (promised.doubtful.has(label)) continue;
    expect(here.get(sampleShardId(label))).toBeGreaterThanOrEqual(lease);
  }
  for (const shard of listed) expect(hashOf(await store.get(ownerId, shard.id))).toBe(shard.hash);
  expect((await store.usage(ownerId)).usedBytes).toBe(listed.length * 64 * 1024);
  const head = await store.getHead(ownerId);
  expect(head?.sequence ?? -1).toBeGreaterThanOrEqual(promised.head);
  if (head !== null) expect(head.bytes).toEqual(sampleBytes(head.sequence, 50));
}

describe('DiskShardStore, when the power fails', () => {
  it(`keeps what it promised and shows nothing by half, at ${RUNS} random moments`, async () => {
    let kept = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const { promised, disk, choose } = await workUntilPowerLoss(seed);
      const directory = join(base, `${seed}-again`);
      await mkdir(directory);
      const survivor = disk.afterPowerLoss(directory, choose);
      const store = await DiskShardStore.open({ directory, ...LIMITS, files: survivor });
      await check(store, promised, owner).catch((error) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
      expect(
        survivor.names().filter((name) => name.startsWith('/incoming') || name.endsWith('.tmp')),
      ).toEqual([]);
      await store.close();
      kept += promised.stored.size;
    }
    expect(kept).toBeGreaterThan(RUNS);
  });
});
