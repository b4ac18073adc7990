import type { PartitionId, ShardId, Stripe } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineEvent, Policy } from '../src/index.ts';
import { backUp, expectRestores, randomFile } from './content.ts';
import { separationViolations, shardsOf } from './separation.ts';
import { POLICY, type TestVault } from './test-vault.ts';
import { newVault } from './vaults.ts';

const OBJECTS = [randomFile('a', 9_000_000), randomFile('b', 50_000)];
const CLAY: Policy = { ...POLICY, k: 4, m: 2, helpers: 5, maxPerOperator: 1 };

interface Prepared {
  readonly vault: TestVault;
  readonly stripes: readonly Stripe[];
}

async function prepared(policy: Policy = POLICY): Promise<Prepared> {
  const vault = await newVault({ peers: 8, policy });
  const { snapshot } = await backUp(vault.engine, OBJECTS);
  return { vault, stripes: await vault.engine.partitions(snapshot.id) };
}

const large = (stripes: readonly Stripe[]): Stripe =>
  stripes.find(({ rawSize, sizeClass }) => rawSize > 1_000_000 && sizeClass === 1024 * 1024)!;

function lose(vault: TestVault, partition: PartitionId, ...indices: number[]): void {
  const places = shardsOf(vault, partition);
  for (const index of indices)
    expect(vault.stores.get(places[index]!.peer)!.lose(places[index]!.id)).toBe(true);
}

/** Everything that the stores hold, with the hashes that they say they have. */
function holdings(vault: TestVault): Map<string, string> {
  return new Map(
    [...vault.stores].flatMap(([peer, store]) =>
      store.all().map(({ id, hash }) => [`${peer} ${id}`, hash] as const),
    ),
  );
}

async function expectWhole(vault: TestVault, before: ReadonlyMap<string, string>): Promise<void> {
  expect(holdings(vault)).toEqual(before);
  expect(await vault.engine.verify({ sample: 1 })).toMatchObject({ healthy: true });
  expect(await separationViolations(vault)).toEqual([]);
}

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

  it('leaves shards of silent peers alone, and counts them', async () => {
    const { vault, stripes } = await prepared();
    const before = holdings(vault);
    const silent = shardsOf(vault, large(stripes).id)[2]!.peer;
    const held = stripes.flatMap(({ shards }) => shards).filter(({ peer }) => peer === silent).length;
    lose(vault, large(stripes).id, 0);
    vault.transport.faults(silent).down = true;
    const report = await vault.engine.repair({ read: false });
    expect(report).toMatchObject({ repairedShards: 1, unreachableShards: held, failed: [], lost: [] });
    vault.transport.faults(silent).down = false;
    await expectWhole(vault, before);
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
