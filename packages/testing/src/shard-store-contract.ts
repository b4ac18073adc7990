import {
  type ErrorCode,
  KiB,
  MAX_HEAD_BYTES,
  type ShardId,
  type ShardStore,
  SIZE_CLASSES,
} from '@holdfast/contracts';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryShardStore, type MemoryShardStoreOptions } from './memory-shard-store.ts';
import { hashOf, sampleBytes, samplePeerId, sampleShard, sampleShardId } from './sample-shards.ts';
import { operation, outcome } from './shard-store-operations.ts';

export interface ShardStoreSubject {
  readonly store: ShardStore;
  /** Changes a bit of a stored shard behind the store's back. */
  readonly damage: (id: ShardId) => Promise<void>;
  /** Removes everything; the suite has closed the store before. */
  readonly dispose: () => Promise<void>;
}

const owner = samplePeerId('owner');
const stranger = samplePeerId('stranger');
const SMALL = 64 * KiB;

const refuses = (promise: Promise<unknown>, code: ErrorCode): Promise<void> =>
  expect(promise).rejects.toMatchObject({ name: 'HoldfastError', code });

/** What every ShardStore must do. `open` makes an empty one with these bounds. */
export function shardStoreContract(
  name: string,
  open: (options: MemoryShardStoreOptions) => Promise<ShardStoreSubject>,
): void {
  const subjects: ShardStoreSubject[] = [];
  const start = async (options: MemoryShardStoreOptions = {}): Promise<ShardStoreSubject> => {
    const subject = await open(options);
    subjects.push(subject);
    return subject;
  };

  describe(`ShardStore: ${name}`, () => {
    afterEach(async () => {
      for (const subject of subjects.splice(0)) {
        await subject.store.close();
        await subject.dispose();
      }
    });

    it('gives back what was put, in every size class', async () => {
      const { store } = await start();
      for (const size of SIZE_CLASSES) {
        const shard = sampleShard(size, size, 77);
        expect(await store.put(owner, shard)).toBe('stored');
        expect(Buffer.compare(await store.get(owner, shard.id), shard.bytes)).toBe(0);
        const [found] = await store.has(owner, [shard.id]);
        expect(found).toEqual({ id: shard.id, owner, hash: shard.hash, bytes: size, leaseUntil: 77 });
      }
    });

    it('takes bytes from shared memory and leaves the caller free to reuse them', async () => {
      const { store } = await start();
      const shard = sampleShard('shared');
      const shared = new Uint8Array(new SharedArrayBuffer(SMALL));
      shared.set(shard.bytes);
      await store.put(owner, { ...shard, bytes: shared });
      shared.fill(0);
      expect(Buffer.compare(await store.get(owner, shard.id), shard.bytes)).toBe(0);
    });

    it('says present to the same shard again and prolongs its lease, never shortens it', async () => {
      const { store } = await start();
      const shard = sampleShard(1, SMALL, 500);
      await store.put(owner, shard);
      for (const [lease, kept] of [
        [400, 500],
        [1_900_000_000_123, 1_900_000_000_123],
      ] as const) {
        expect(await store.put(owner, { ...shard, leaseUntil: lease })).toBe('present');
        expect((await store.has(owner, [shard.id]))[0]?.leaseUntil).toBe(kept);
      }
      expect((await store.usage(owner)).ownerShards).toBe(1);
    });

    it('refuses bytes with another hash, of no size class, or a lease that is no time', async () => {
      const { store } = await start();
      const shard = sampleShard(1);
      await refuses(store.put(owner, { ...shard, hash: hashOf(sampleBytes('else', 64)) }), 'HASH_MISMATCH');
      const odd = shard.bytes.subarray(1);
      await refuses(store.put(owner, { ...shard, bytes: odd, hash: hashOf(odd) }), 'FORMAT_INVALID');
      await refuses(store.put(owner, { ...shard, leaseUntil: Number.NaN }), 'FORMAT_INVALID');
      await refuses(store.put(owner, { ...shard, leaseUntil: -1 }), 'FORMAT_INVALID');
      await expectNothing(store, shard.id);
    });

    it('refuses other bytes under a known id, and ids of other owners', async () => {
      const { store } = await start();
      const shard = sampleShard(1);
      await store.put(owner, shard);
      await refuses(store.put(owner, { ...sampleShard(2), id: shard.id }), 'PEER_SHARD_CONFLICT');
      await refuses(store.put(stranger, shard), 'PEER_NOT_OWNER');
      await refuses(store.get(stranger, shard.id), 'PEER_NOT_OWNER');
      await refuses(store.delete(stranger, shard.id), 'PEER_NOT_OWNER');
      expect(await store.has(stranger, [shard.id])).toEqual([null]);
      expect(await store.lease(stranger, [shard.id], 9_999)).toEqual([false]);
      expect((await store.has(owner, [shard.id]))[0]?.leaseUntil).toBe(1_000);
      expect(Buffer.compare(await store.get(owner, shard.id), shard.bytes)).toBe(0);
    });

    it('keeps to its quota and capacity, whatever comes at the same time', async () => {
      const { store } = await start({ capacityBytes: 5 * SMALL, ownerQuotaBytes: 3 * SMALL });
      const puts = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((i) => store.put(owner, sampleShard(i))));
      expect(puts.filter((put) => put.status === 'fulfilled')).toHaveLength(3);
      for (const put of puts) if (put.status === 'rejected') expect(put.reason.code).toBe('PEER_QUOTA');
      await store.put(stranger, sampleShard(7));
      await store.put(stranger, sampleShard(8));
      await refuses(store.put(stranger, sampleShard(9)), 'PEER_DISK_FULL');
      expect(await store.usage(owner)).toEqual({
        capacityBytes: 5 * SMALL,
        usedBytes: 5 * SMALL,
        ownerQuotaBytes: 3 * SMALL,
        ownerUsedBytes: 3 * SMALL,
        ownerShards: 3,
      });
      expect(await store.delete(stranger, sampleShardId(8))).toBe(true);
      expect(await store.put(stranger, sampleShard(9))).toBe('stored');
    });

    it('still says present when it is full', async () => {
      const { store } = await start({ capacityBytes: SMALL });
      await store.put(owner, sampleShard(1));
      expect(await store.put(owner, sampleShard(1))).toBe('present');
    });

    it('reads ranges, into the caller’s buffer where one is given', async () => {
      const { store } = await start();
      const shard = sampleShard(1);
      await store.put(owner, shard);
      const ranges = [
        { offset: 0, length: 10 },
        { offset: 100, length: 1_000 },
        { offset: SMALL - 1, length: 1 },
        { offset: SMALL, length: 0 },
        { offset: 7 },
        { length: 9 },
        {},
      ];
      for (const range of ranges) {
        const { offset = 0, length = SMALL - offset } = range as { offset?: number; length?: number };
        const expected = shard.bytes.subarray(offset, offset + length);
        expect(Buffer.compare(await store.get(owner, shard.id, range), expected)).toBe(0);
        const into = new Uint8Array(SMALL + 5).fill(9);
        const view = await store.get(owner, shard.id, { ...range, into });
        expect(view.buffer).toBe(into.buffer);
        expect(view.byteOffset).toBe(0);
        expect(Buffer.compare(view, expected)).toBe(0);
        expect(into.subarray(length).every((byte) => byte === 9)).toBe(true);
      }
      for (const range of [
        { offset: SMALL + 1 },
        { offset: 1, length: SMALL },
        { offset: -1 },
        { length: 1.5 },
      ]) {
        await refuses(store.get(owner, shard.id, range), 'FORMAT_INVALID');
      }
      await refuses(store.get(owner, shard.id, { into: new Uint8Array(SMALL - 1) }), 'FORMAT_INVALID');
    });

    it('finds rot when it reads a whole shard, not when it reads a part', async () => {
      const { store, damage } = await start();
      const shard = sampleShard(1);
      await store.put(owner, shard);
      await damage(shard.id);
      await refuses(store.get(owner, shard.id), 'PEER_SHARD_CORRUPT');
      await refuses(store.get(owner, shard.id, { into: new Uint8Array(SMALL) }), 'PEER_SHARD_CORRUPT');
      expect(await store.get(owner, shard.id, { offset: 0, length: SMALL - 1 })).toHaveLength(SMALL - 1);
    });

    it('knows what it does not have', async () => {
      const { store } = await start();
      await expectNothing(store, sampleShardId(1));
      expect(await store.lease(owner, [sampleShardId(1)], 5)).toEqual([false]);
      expect(await store.has(owner, [])).toEqual([]);
    });

    it('answers in the order asked, repeated ids included', async () => {
      const { store } = await start();
      for (const i of [1, 2, 3]) await store.put(owner, sampleShard(i));
      const ids = [3, 9, 1, 3].map(sampleShardId);
      expect((await store.has(owner, ids)).map((shard) => shard?.id ?? null)).toEqual([
        ids[0],
        null,
        ids[2],
        ids[3],
      ]);
      expect(await store.lease(owner, ids, 7_000)).toEqual([true, false, true, true]);
      expect(await store.lease(owner, ids, 6_000)).toEqual([true, false, true, true]);
      expect((await store.has(owner, ids)).map((shard) => shard?.leaseUntil)).toEqual([
        7_000,
        undefined,
        7_000,
        7_000,
      ]);
    });

    it('deletes once, and takes the shard anew afterwards', async () => {
      const { store } = await start({ capacityBytes: SMALL });
      const shard = sampleShard(1);
      await store.put(owner, shard);
      expect(await store.delete(owner, shard.id)).toBe(true);
      expect(await store.delete(owner, shard.id)).toBe(false);
      await expectNothing(store, shard.id);
      expect((await store.usage(owner)).usedBytes).toBe(0);
      expect(await store.put(owner, shard)).toBe('stored');
    });

    it('lists an owner’s shards by id, page by page', async () => {
      const { store } = await start();
      for (let i = 0; i < 25; i++) await store.put(i % 5 === 0 ? stranger : owner, sampleShard(i));
      const pages: ShardId[] = [];
      for (let after: ShardId | undefined; ; ) {
        const page = await store.list(owner, { after, limit: 7 });
        expect(page.length).toBeLessThanOrEqual(7);
        if (page.length === 0) break;
        pages.push(...page.map((shard) => shard.id));
        after = page.at(-1)!.id;
      }
      const expected = Array.from({ length: 25 }, (_, i) => i).filter((i) => i % 5 !== 0);
      expect(pages).toEqual(expected.map(sampleShardId).sort());
      expect(await store.list(stranger, { limit: 100 })).toHaveLength(5);
      const [first] = await store.list(owner, { limit: 1 });
      expect(first).toMatchObject({ owner, bytes: SMALL, leaseUntil: 1_000 });
    });

    it('stores one shard once, however many put it at once', async () => {
      const { store } = await start({ capacityBytes: SMALL });
      const puts = await Promise.all(Array.from({ length: 6 }, () => store.put(owner, sampleShard(1))));
      expect(puts.filter((outcome) => outcome === 'stored')).toHaveLength(1);
      expect((await store.usage(owner)).usedBytes).toBe(SMALL);
      const rivals = await Promise.allSettled(
        [sampleShard(2), { ...sampleShard(3), id: sampleShardId(2) }].map((shard) => store.put(owner, shard)),
      );
      expect(rivals.every((put) => put.status === 'rejected')).toBe(true);
    });

    it('does not begin what was stopped before', async () => {
      const { store } = await start();
      const options = { signal: AbortSignal.abort() };
      await refuses(store.put(owner, sampleShard(1), options), 'CANCELLED');
      await expectNothing(store, sampleShardId(1));
      await refuses(store.get(owner, sampleShardId(1), options), 'CANCELLED');
    });

    it('keeps the newest head of each owner', async () => {
      const { store } = await start();
      expect(await store.getHead(owner)).toBe(null);
      const head = (sequence: number, label = sequence) => ({ sequence, bytes: sampleBytes(label, 300) });
      await store.putHead(owner, head(4));
      await store.putHead(owner, head(4));
      await refuses(store.putHead(owner, head(4, 5)), 'PEER_HEAD_STALE');
      await refuses(store.putHead(owner, head(3)), 'PEER_HEAD_STALE');
      await store.putHead(owner, head(9));
      await store.putHead(stranger, head(1));
      expect(await store.getHead(owner)).toEqual(head(9));
      expect(await store.getHead(stranger)).toEqual(head(1));
      const large = { sequence: 10, bytes: new Uint8Array(MAX_HEAD_BYTES + 1) };
      await refuses(store.putHead(owner, large), 'FORMAT_INVALID');
      await store.putHead(owner, { sequence: 10, bytes: sampleBytes('max', MAX_HEAD_BYTES) });
      expect((await store.getHead(owner))?.bytes).toHaveLength(MAX_HEAD_BYTES);
    });

    it('never goes back when heads come at the same time', async () => {
      const { store } = await start();
      const sequences = [5, 2, 8, 1, 7, 3, 6, 4];
      await Promise.allSettled(
        sequences.map((sequence) => store.putHead(owner, { sequence, bytes: sampleBytes(sequence, 64) })),
      );
      expect(await store.getHead(owner)).toEqual({ sequence: 8, bytes: sampleBytes(8, 64) });
    });

    it('behaves like the model under any sequence of operations', async () => {
      const bounds = { capacityBytes: 6 * SMALL, ownerQuotaBytes: 4 * SMALL };
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
          const subject = await open(bounds);
          const model = new MemoryShardStore(bounds);
          try {
            for (const step of operations)
              expect(await outcome(subject.store, step)).toEqual(await outcome(model, step));
          } finally {
            await subject.store.close();
            await subject.dispose();
          }
        }),
        { numRuns: 25 },
      );
    });
  });
}

async function expectNothing(store: ShardStore, id: ShardId): Promise<void> {
  expect(await store.has(owner, [id])).toEqual([null]);
  await refuses(store.get(owner, id), 'PEER_NO_SHARD');
  expect(await store.delete(owner, id)).toBe(false);
  expect(await store.list(owner, { limit: 10 })).toEqual([]);
}
