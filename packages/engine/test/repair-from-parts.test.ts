import type { PartitionId, ShardId, Stripe } from '@holdfast/contracts';
import { blake3Hex } from '@holdfast/crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineEvent, Policy } from '../src/index.ts';
import { expectRestores } from './content.ts';
import { CLAY, expectWhole, holdings, large, lose, OBJECTS, prepared } from './repairing.ts';
import type { TestVault } from './test-vault.ts';

describe('repair of a Clay code', () => {
  /** Bytes of partition content fetched to repair one shard; the manifest and metadata were read before. */
  async function repairOne(policy: Policy, prepare: (vault: TestVault, stripe: Stripe) => void = () => {}) {
    const { vault, stripes } = await prepared(policy);
    const before = holdings(vault);
    const stripe = large(stripes);
    lose(vault, stripe.id, 1);
    prepare(vault, stripe);
    const events: EngineEvent[] = [];
    const report = await vault.engine.repair({ read: false, onEvent: (event) => events.push(event) });
    return { vault, stripe, before, report, events };
  }

  it('fetches parts: 62.5 % of what plain Reed–Solomon does at 4 + 2', async () => {
    const clay = await repairOne(CLAY);
    const plain = await repairOne({ ...CLAY, helpers: 0 });
    expect(clay.report).toMatchObject({ repairedShards: 1, repairedFromParts: 1 });
    expect(clay.report.faults).toEqual([
      { peer: clay.stripe.shards[1]!.peer, wrongBytes: 0, missing: 1, unreachable: 0 },
    ]);
    expect(plain.report).toMatchObject({ repairedShards: 1, repairedFromParts: 0 });
    expect(clay.report.fetchedBytes).toBe(2.5 * clay.stripe.sizeClass);
    expect(plain.report.fetchedBytes).toBeGreaterThanOrEqual(4 * plain.stripe.sizeClass);
    await expectWhole(clay.vault, clay.before);
  });

  it('takes whole shards where a helper is silent', async () => {
    const { vault, before, report, stripe } = await repairOne(CLAY, (vault, { shards }) => {
      vault.transport.faults(shards[3]!.peer).down = true;
    });
    expect(report).toMatchObject({ repairedShards: 1, repairedFromParts: 0 });
    vault.transport.faults(stripe.shards[3]!.peer).down = false;
    await expectWhole(vault, before);
  });

  it('believes no helper: wrong parts make a wrong shard, which goes nowhere', async () => {
    const { vault, before, report, stripe } = await repairOne(CLAY, (vault, { id, epoch, shards }) => {
      const liar = vault.context.keys.shardId(epoch, id, 2);
      vault.transport.faults(shards[2]!.peer).wrongBytes = (shard: ShardId) => shard === liar;
    });
    expect(report).toMatchObject({ repairedFromParts: 0, failed: [], lost: [] });
    // The liar's own shard too, if it was asked for it whole: then it is known by name, and given the right bytes again.
    expect([1, 2]).toContain(report.repairedShards);
    vault.transport.faults(stripe.shards[2]!.peer).wrongBytes = () => false;
    await expectWhole(vault, before);
  });

  it('takes whole shards where a helper sends too little', async () => {
    const { vault, before, report } = await repairOne(CLAY, (vault) => {
      const { getParts } = vault.transport;
      vault.transport.getParts = async (...args) => (await getParts(...args)) - 64;
    });
    expect(report).toMatchObject({ repairedShards: 1, repairedFromParts: 0 });
    await expectWhole(vault, before);
  });

  it('replaces other bytes in the lost shard’s place, though nobody asked for them', async () => {
    const { vault, before, report } = await repairOne(CLAY, (vault, { id, epoch, shards }) => {
      const { keys, owner } = vault.context;
      const bytes = new Uint8Array(64 * 1024);
      const other = { id: keys.shardId(epoch, id, 1), hash: blake3Hex(bytes), leaseUntil: 0, bytes };
      void vault.stores.get(shards[1]!.peer)!.put(owner, other);
    });
    expect(report).toMatchObject({ repairedShards: 1, repairedFromParts: 1 });
    await expectWhole(vault, before);
  });

  it('mends a helper that has rotted on the way', async () => {
    const { vault, before, report } = await repairOne(CLAY, (vault, { id }) => {
      const helper = shardsOfPresent(vault, id)[0]!;
      vault.stores.get(helper.peer)!.damage(helper.id, 77);
    });
    expect(report.repairedFromParts).toBe(0);
    expect(report.repairedShards).toBeGreaterThanOrEqual(1);
    await vault.engine.repair({ read: true });
    await expectWhole(vault, before);
  });

  it('restores whatever was lost, at random', { timeout: 120_000 }, async () => {
    const { vault, stripes } = await prepared(CLAY);
    const before = holdings(vault);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(fc.nat(5), { maxLength: 2 }), {
          minLength: stripes.length,
          maxLength: stripes.length,
        }),
        fc.boolean(),
        async (losses, read) => {
          for (const [at, { id }] of stripes.entries()) lose(vault, id, ...losses[at]!);
          const report = await vault.engine.repair({ read });
          expect(report.repairedShards).toBe(losses.flat().length);
          expect(holdings(vault)).toEqual(before);
        },
      ),
      { numRuns: 12 },
    );
    await expectRestores(vault.engine, (await vault.catalog.snapshots())[0]!.id, OBJECTS);
    await expectWhole(vault, before);
  });
});

/** Where the shards are that are still somewhere. */
function shardsOfPresent(
  vault: TestVault,
  partition: PartitionId,
): { id: ShardId; peer: Stripe['shards'][0]['peer'] }[] {
  const stripe = vault.catalog.partitionsEver.get(partition)!;
  return stripe.shards.flatMap(({ peer }, index) => {
    const id = vault.context.keys.shardId(stripe.epoch, partition, index);
    return vault.stores
      .get(peer)!
      .all()
      .some((shard) => shard.id === id)
      ? [{ id, peer }]
      : [];
  });
}
