import type { Hash } from '@holdfast/contracts';
import { describe, expect, it, vi } from 'vitest';
import { EncryptionManager } from '../src/sealing/encryption-manager.ts';
import { backUp, randomFile } from './content.ts';
import { expectWhole, holdings, large, lose, prepared } from './repairing.ts';
import { shardsOf } from './separation.ts';

describe('repair', () => {
  it('has nothing to do where nothing is lost', async () => {
    const { vault, stripes } = await prepared();
    const { gets, puts } = vault.transport.counters;
    const report = await vault.engine.repair({ read: false });
    expect(report).toMatchObject({
      partitions: stripes.length,
      damagedPartitions: 0,
      repairedShards: 0,
      unreachableShards: 0,
      failed: [],
      lost: [],
    });
    // Only the manifest and the metadata were read.
    expect(vault.transport.counters.gets - gets).toBeLessThan(20);
    expect(vault.transport.counters.puts).toBe(puts);
  });

  it('makes lost shards again, up to m of a partition, and puts them where they were', async () => {
    const { vault, stripes } = await prepared();
    const before = holdings(vault);
    for (const { id } of stripes) lose(vault, id, 1, 4);
    const report = await vault.engine.repair({ read: false });
    expect(report).toMatchObject({
      damagedPartitions: stripes.length,
      repairedShards: 2 * stripes.length,
      repairedFromParts: 0,
      failed: [],
      lost: [],
    });
    await expectWhole(vault, before);
  });

  it('is for one snapshot when one is named', async () => {
    const { vault } = await prepared();
    const other = await backUp(vault.engine, [randomFile('c', 3_000_000)], { name: 'other' });
    const before = holdings(vault);
    const mine = await vault.engine.partitions(other.snapshot.id);
    for (const { id } of vault.catalog.partitionsEver.values()) lose(vault, id, 0);
    const report = await vault.engine.repair({ snapshot: other.snapshot.id, read: false });
    expect(report.repairedShards).toBe(mine.length);
    const rest = await vault.engine.repair({ read: false });
    expect(rest.repairedShards + report.repairedShards).toBe(vault.catalog.partitionsEver.size);
    await expectWhole(vault, before);
  });

  it('finds rot only when it reads, and replaces it', async () => {
    const { vault, stripes } = await prepared();
    const before = holdings(vault);
    const stripe = large(stripes);
    const [rotten] = shardsOf(vault, stripe.id);
    vault.stores.get(rotten!.peer)!.damage(rotten!.id, 500);
    expect(await vault.engine.repair({ read: false })).toMatchObject({ repairedShards: 0 });
    expect(await vault.engine.repair({ read: true })).toMatchObject({
      repairedShards: 1,
      damagedPartitions: 1,
    });
    await expectWhole(vault, before);
  });

  it('replaces other bytes that a peer has under a shard’s id', async () => {
    const { vault, stripes } = await prepared();
    const before = holdings(vault);
    const stripe = large(stripes);
    const [first, second] = shardsOf(vault, stripe.id);
    const store = vault.stores.get(first!.peer)!;
    const owner = vault.context.owner;
    const other = await vault.stores.get(second!.peer)!.get(owner, second!.id);
    store.lose(first!.id);
    await store.put(owner, { id: first!.id, hash: stripe.shards[1]!.hash, leaseUntil: 0, bytes: other });
    expect(await vault.engine.repair({ read: false })).toMatchObject({ repairedShards: 1, failed: [] });
    await expectWhole(vault, before);
  });

  it.each([false, true])('leaves shards of silent peers alone, and counts them; read: %s', async (read) => {
    const { vault, stripes } = await prepared();
    const before = holdings(vault);
    const silent = shardsOf(vault, large(stripes).id)[2]!.peer;
    const held = stripes.flatMap(({ shards }) => shards).filter(({ peer }) => peer === silent).length;
    lose(vault, large(stripes).id, 0);
    vault.transport.faults(silent).down = true;
    const report = await vault.engine.repair({ read });
    expect(report).toMatchObject({ repairedShards: 1, unreachableShards: held, failed: [], lost: [] });
    vault.transport.faults(silent).down = false;
    await expectWhole(vault, before);
  });

  it.each([false, true])('gives nothing to a peer that has left the swarm; read: %s', async (read) => {
    const { vault, stripes } = await prepared();
    const gone = shardsOf(vault, large(stripes).id)[1]!.peer;
    const record = (await vault.catalog.peers()).find(({ id }) => id === gone)!;
    await vault.catalog.putPeer({ ...record, state: 'left' });
    for (const { id } of vault.stores.get(gone)!.all()) vault.stores.get(gone)!.lose(id);
    const report = await vault.engine.repair({ read });
    expect(report).toMatchObject({ repairedShards: 0, failed: [], lost: [] });
    expect(report.unreachableShards).toBeGreaterThan(0);
    expect(vault.stores.get(gone)!.all()).toEqual([]);
  });

  it('tells what cannot be repaired for now, and repairs the rest', async () => {
    const { vault, stripes } = await prepared();
    const stripe = large(stripes);
    const others = stripes.filter(({ id }) => id !== stripe.id && id !== stripes[0]!.id);
    lose(vault, stripe.id, 0, 1, 2);
    for (const { id } of others.slice(0, 2)) lose(vault, id, 3);
    const report = await vault.engine.repair({ read: false });
    expect(report.lost).toEqual([{ partition: stripe.id, snapshots: report.snapshots }]);
    expect(report.repairedShards).toBe(Math.min(2, others.length));
  });

  it('asks a peer that denies a shard for it like any other, and leaves it alone where it is right', async () => {
    const { vault, stripes } = await prepared();
    const before = holdings(vault);
    for (const { id, epoch, shards } of stripes) {
      const denied = vault.context.keys.shardId(epoch, id, 0);
      const store = vault.stores.get(shards[0]!.peer)!;
      const has = store.has.bind(store);
      store.has = async (owner, ids) =>
        (await has(owner, ids)).map((shard) => (shard?.id === denied ? null : shard));
    }
    expect(await vault.engine.repair({ read: false })).toMatchObject({ failed: [], lost: [] });
    expect(await vault.engine.repair({ read: true })).toMatchObject({
      repairedShards: 0,
      failed: [],
      lost: [],
    });
    expect(holdings(vault)).toEqual(before);
  });

  it('gives nothing to a peer that does not come out as the manifest says', async () => {
    const { vault, stripes } = await prepared();
    const stripe = large(stripes);
    lose(vault, stripe.id, 1);
    const { puts } = vault.transport.counters;
    const { rebuild } = EncryptionManager.prototype;
    const spy = vi.spyOn(EncryptionManager.prototype, 'rebuild').mockImplementation(async function (
      this: EncryptionManager,
      ...args
    ) {
      const hashes = await rebuild.apply(this, args);
      return hashes.map(() => '00'.repeat(32) as Hash);
    });
    const report = await vault.engine.repair({ read: false });
    spy.mockRestore();
    expect(report).toMatchObject({ repairedShards: 0, lost: [{ partition: stripe.id }] });
    expect(vault.transport.counters.puts).toBe(puts);
  });

  it('tells which peer did not take its shard back', async () => {
    const { vault, stripes } = await prepared();
    const stripe = large(stripes);
    lose(vault, stripe.id, 1);
    const { peer, id } = { ...stripe.shards[1]!, id: vault.context.keys.shardId(1, stripe.id, 1) };
    const store = vault.stores.get(peer)!;
    const put = store.put.bind(store);
    store.put = async (owner, shard) =>
      put(owner, shard.id === id ? { ...shard, bytes: new Uint8Array(7) } : shard);
    const report = await vault.engine.repair({ read: false });
    expect(report.failed).toEqual([
      expect.objectContaining({ partition: stripe.id, index: 1, peer, code: 'FORMAT_INVALID' }),
    ]);
    expect(report.repairedShards).toBe(0);
  });
});
