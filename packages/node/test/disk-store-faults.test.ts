import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ErrorCode, MiB } from '@holdfast/contracts';
import { samplePeerId, sampleShard, sampleShardId } from '@holdfast/testing/sample-shards';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskShardStore } from '../src/index.ts';
import { type StoreFiles, systemFiles } from '../src/store/store-files.ts';

const owner = samplePeerId('owner');
const SMALL = 64 * 1024;
const LIMITS = { capacityBytes: 2 ** 40, ownerQuotaBytes: 2 ** 40 };
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-faults-'));
});
afterEach(() => rm(directory, { recursive: true }));

const refuses = (promise: Promise<unknown>, code: ErrorCode): Promise<void> =>
  expect(promise).rejects.toMatchObject({ name: 'HoldfastError', code });

type Operation = keyof StoreFiles;
/** The next call of one operation fails with an error of the system, before or after it took effect. */
class FaultyFiles {
  next: { operation: Operation; errno: string; after: boolean } | null = null;
  readonly files: StoreFiles = new Proxy(systemFiles, {
    get:
      (target, name: Operation) =>
      async (...args: unknown[]) => {
        const fault = this.next?.operation === name ? this.next : null;
        if (fault !== null) this.next = null;
        if (fault && !fault.after) throw Object.assign(new Error(fault.errno), { code: fault.errno });
        const result = await (target[name] as (...args: unknown[]) => Promise<unknown>)(...args);
        if (fault) throw Object.assign(new Error(fault.errno), { code: fault.errno });
        return result;
      },
  });
}

describe('DiskShardStore, when the disk fails', () => {
  const faults: [Operation, string, ErrorCode][] = [
    ['makeDirectory', 'ENOSPC', 'PEER_DISK_FULL'],
    ['create', 'ENOSPC', 'PEER_DISK_FULL'],
    ['create', 'EDQUOT', 'PEER_DISK_FULL'],
    ['create', 'EIO', 'PEER_FAILED'],
    ['create', 'EROFS', 'PEER_FAILED'],
    ['rename', 'ENOSPC', 'PEER_DISK_FULL'],
    ['rename', 'EIO', 'PEER_FAILED'],
    ['syncDirectory', 'EIO', 'PEER_FAILED'],
  ];
  for (const [operation, errno, code] of faults) {
    for (const after of operation === 'create' || operation === 'syncDirectory' ? [false, true] : [false]) {
      it(`refuses with ${code} and shows nothing: ${errno} ${after ? 'after' : 'in'} ${operation}`, async () => {
        const faulty = new FaultyFiles();
        const store = await DiskShardStore.open({ directory, ...LIMITS, files: faulty.files });
        await store.put(owner, sampleShard('before'));
        faulty.next = { operation, errno, after };
        await refuses(store.put(owner, sampleShard(1)), code);
        expect(await store.has(owner, [sampleShardId(1)])).toEqual([null]);
        expect((await store.usage(owner)).usedBytes).toBe(SMALL);
        expect(await readdir(join(directory, 'incoming'))).toEqual([]);
        expect(await store.put(owner, sampleShard(1))).toBe('stored');
        expect((await store.usage(owner)).usedBytes).toBe(2 * SMALL);
        await store.close();
      });
    }
  }

  it('reports what cannot be read as rot, and other failures as its own', async () => {
    const faulty = new FaultyFiles();
    const store = await DiskShardStore.open({ directory, ...LIMITS, files: faulty.files });
    await store.put(owner, sampleShard(1));
    faulty.next = { operation: 'read', errno: 'EIO', after: false };
    await refuses(store.get(owner, sampleShardId(1)), 'PEER_SHARD_CORRUPT');
    faulty.next = { operation: 'read', errno: 'EMFILE', after: false };
    await refuses(store.get(owner, sampleShardId(1)), 'PEER_FAILED');
    faulty.next = { operation: 'facts', errno: 'EIO', after: false };
    await refuses(store.has(owner, [sampleShardId(1)]), 'PEER_FAILED');
    expect(await store.get(owner, sampleShardId(1))).toHaveLength(SMALL);
    await store.close();
  });

  it('keeps the old head when the new one cannot be written', async () => {
    const faulty = new FaultyFiles();
    const store = await DiskShardStore.open({ directory, ...LIMITS, files: faulty.files });
    const head = { sequence: 1, bytes: Uint8Array.of(1) };
    await store.putHead(owner, head);
    for (const operation of ['create', 'rename'] as const) {
      faulty.next = { operation, errno: 'ENOSPC', after: false };
      await refuses(store.putHead(owner, { sequence: 2, bytes: Uint8Array.of(2) }), 'PEER_DISK_FULL');
    }
    expect(await store.getHead(owner)).toEqual(head);
    expect(await readdir(join(directory, 'heads'))).toEqual([owner]);
    await store.close();
  });

  it('notices shards that somebody took away', async () => {
    const store = await DiskShardStore.open({ directory, ...LIMITS });
    for (const label of [1, 2, 3, 4]) {
      const shard = sampleShard(label);
      await store.put(owner, shard);
      const bucket = join(directory, 'shards', shard.id.slice(0, 3));
      for (const name of await readdir(bucket)) await unlink(join(bucket, name));
    }
    const gets = [1, 1, 1].map(() => refuses(store.get(owner, sampleShardId(1)), 'PEER_NO_SHARD'));
    await Promise.all(gets);
    expect(await store.has(owner, [sampleShardId(2)])).toEqual([null]);
    expect(await store.lease(owner, [sampleShardId(3)], 5)).toEqual([false]);
    expect(await store.put(owner, sampleShard(4))).toBe('stored');
    expect((await store.usage(owner)).ownerShards).toBe(1);
    await store.close();
  });

  it('ignores what is not its own, and clears what a crash left', async () => {
    await mkdir(join(directory, 'shards', 'abc'), { recursive: true });
    await mkdir(join(directory, 'incoming'));
    await mkdir(join(directory, 'heads'));
    await writeFile(join(directory, 'shards', 'abc', 'notes.txt'), 'mine');
    await writeFile(join(directory, 'shards', 'readme'), 'mine');
    const { id, hash, bytes } = sampleShard(1);
    await writeFile(join(directory, 'incoming', `${id}.${hash}.${owner}.${SMALL}`), bytes.subarray(0, 1_000));
    const whole = sampleShard(2);
    await writeFile(join(directory, 'incoming', `${whole.id}.${whole.hash}.${owner}.${SMALL}`), whole.bytes);
    await writeFile(join(directory, 'heads', `${owner}.x.tmp`), 'torn');
    const store = await DiskShardStore.open({ directory, ...LIMITS });
    expect((await store.list(owner, { limit: 10 })).map((shard) => shard.id)).toEqual([whole.id]);
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
    expect(await readdir(join(directory, 'heads'))).toEqual([]);
    await store.close();
  });

  it('belongs to one store at a time', async () => {
    const store = await DiskShardStore.open({ directory, ...LIMITS });
    await refuses(DiskShardStore.open({ directory, ...LIMITS }), 'BUSY');
    await store.close();
    await refuses(store.usage(owner), 'PEER_FAILED');
    await (await DiskShardStore.open({ directory, ...LIMITS })).close();
  });
});

describe.runIf(process.getuid?.() === 0 && process.platform === 'linux')(
  'DiskShardStore on a tmpfs (as root)',
  () => {
    it('says PEER_DISK_FULL when there is no space left, and goes on when there is', async () => {
      const small = join(directory, 'small');
      await mkdir(small);
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=5m', 'tmpfs', small]);
      } catch {
        return; // Root in a container need not be allowed to mount.
      }
      try {
        const store = await DiskShardStore.open({ directory: small, ...LIMITS });
        const outcomes = await Promise.allSettled(
          [1, 2, 3, 4, 5, 6, 7, 8].map((label) => store.put(owner, sampleShard(label, MiB))),
        );
        const stored = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
        expect(stored).toBeGreaterThan(0);
        expect(stored).toBeLessThan(8);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('PEER_DISK_FULL');
        }
        const listed = await store.list(owner, { limit: 10 });
        expect(listed).toHaveLength(stored);
        expect(await readdir(join(small, 'incoming'))).toEqual([]);
        expect(await store.delete(owner, listed[0]!.id)).toBe(true);
        expect(await store.put(owner, sampleShard('again', MiB))).toBe('stored');
        await store.close();
      } finally {
        execFileSync('umount', [small]);
      }
    });
  },
);
