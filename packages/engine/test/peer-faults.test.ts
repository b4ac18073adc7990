import type { PeerId } from '@holdfast/contracts';
import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '../src/index.ts';
import { backUp, expectRestores, expectSame, randomFile, rejection, restore } from './content.ts';
import { separationViolations } from './separation.ts';
import { POLICY, type TestVault } from './test-vault.ts';
import { newVault } from './vaults.ts';

const OBJECTS = [randomFile('a', 3_300_000), randomFile('b', 90_000)];

/** The peer with the most primary shards of a snapshot: one that a restore is sure to ask. */
async function busiestPeer(vault: TestVault, snapshot: Parameters<TestVault['engine']['partitions']>[0]) {
  const counts = new Map<PeerId, number>();
  for (const { k, shards } of await vault.engine.partitions(snapshot)) {
    for (const { peer } of shards.slice(0, k)) counts.set(peer, (counts.get(peer) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]![0];
}

/** Longer than any test. */
const NEVER = 3_600_000;

describe('peers that fail during a restore', () => {
  it('notices wrong bytes, says whose, and takes another shard', async () => {
    const vault = await newVault({ peers: 5 });
    const { snapshot } = await backUp(vault.engine, OBJECTS);
    const liar = await busiestPeer(vault, snapshot.id);
    vault.transport.faults(liar).wrongBytes = () => true;
    const events: EngineEvent[] = [];
    const { sink, report } = await restore(vault.engine, snapshot.id, { onEvent: (e) => events.push(e) });
    expectSame(sink, OBJECTS);
    expect(report.faults).toEqual([
      { peer: liar, wrongBytes: expect.any(Number), missing: 0, unreachable: 0 },
    ]);
    expect(report.faults[0]!.wrongBytes).toBeGreaterThan(0);
    expect(events.map(({ type }) => type)).toContain('wrong-bytes');
    expect(events.every((event) => event.type !== 'wrong-bytes' || event.peer === liar)).toBe(true);
    expect((await vault.catalog.peerEvents()).get(liar)).toMatchObject({
      'wrong-bytes': report.faults[0]!.wrongBytes,
    });
  });

  it('counts what a peer itself found rotten as its wrong bytes', async () => {
    const vault = await newVault({ peers: 5 });
    const { snapshot } = await backUp(vault.engine, OBJECTS);
    const rotten = await busiestPeer(vault, snapshot.id);
    const store = vault.stores.get(rotten)!;
    for (const { id } of store.all()) store.damage(id, 77);
    const report = await expectRestores(vault.engine, snapshot.id, OBJECTS);
    expect(report.faults).toMatchObject([{ peer: rotten, missing: 0, unreachable: 0 }]);
  });

  it('does without shards that a peer no longer has', async () => {
    const vault = await newVault({ peers: 5 });
    const { snapshot } = await backUp(vault.engine, OBJECTS);
    const forgetful = await busiestPeer(vault, snapshot.id);
    const store = vault.stores.get(forgetful)!;
    for (const { id } of store.all()) store.lose(id);
    const events: EngineEvent[] = [];
    const { sink, report } = await restore(vault.engine, snapshot.id, { onEvent: (e) => events.push(e) });
    expectSame(sink, OBJECTS);
    expect(report.faults).toMatchObject([{ peer: forgetful, wrongBytes: 0, unreachable: 0 }]);
    expect(events.map(({ type }) => type)).toContain('shard-missing');
    expect(report.decoded).toBeGreaterThan(0);
  });

  it('does not wait for a slow peer', async () => {
    const vault = await newVault({ peers: 5 });
    const { snapshot } = await backUp(vault.engine, OBJECTS);
    const slow = await busiestPeer(vault, snapshot.id);
    const get = vault.transport.get;
    let asked = 0;
    const engine = await vault.reopen({
      transport: {
        ...vault.transport,
        get: (peer, id, into, options) => {
          // Only the data is slow: each restore asks for the status first, and waits for it a while.
          vault.transport.faults(slow).delay = NEVER;
          if (peer === slow) asked++;
          return get(peer, id, into, options);
        },
      },
    });
    // Waiting for that peer would end in the test's own timeout.
    const { sink } = await restore(engine, snapshot.id);
    expectSame(sink, OBJECTS);
    expect(asked).toBeGreaterThan(0);
  });
});

describe('peers that fail during a backup', () => {
  it('moves their shards to others and keeps the separation', async () => {
    const vault = await newVault({ peers: 8 });
    // One answers a few requests and dies; one refuses from the beginning, though it says that it has room.
    vault.transport.faults(vault.peers[1]!).failAfter = 3;
    const put = vault.transport.put;
    const full = vault.peers[2]!;
    const events: EngineEvent[] = [];
    const engine = await vault.reopen({
      transport: {
        ...vault.transport,
        put: async (peer, shard, options) => {
          vault.transport.faults(full).refuse = peer === full ? 'PEER_DISK_FULL' : null;
          return put(peer, shard, options);
        },
      },
    });
    const objects = [randomFile('a', 7_000_000)];
    const { snapshot } = await backUp(engine, objects, { onEvent: (e) => events.push(e) });
    vault.transport.faults(full).refuse = null;
    expect(events.map(({ type }) => type)).toContain('shard-moved');
    expect(await separationViolations(vault)).toEqual([]);
    for (const { id, shards } of await vault.engine.partitions(snapshot.id)) {
      expect(new Set(shards.map(({ peer }) => peer)).size).toBe(POLICY.k + POLICY.m);
      const holders = await vault.catalog.holders(id);
      for (const [index, { peer }] of shards.entries())
        expect(holders.filter((holder) => holder.index === index).at(-1)!.peer).toBe(peer);
    }
    await expectRestores(vault.engine, snapshot.id, objects);
  });

  it('says what is missing when too few peers are there, and commits nothing', async () => {
    const vault = await newVault({ peers: 6 });
    for (const peer of vault.peers.slice(0, 2)) vault.transport.faults(peer).down = true;
    const error = await rejection(backUp(vault.engine, OBJECTS));
    expect(error.code).toBe('PLACEMENT_REFUSED');
    expect((error as { hint?: string }).hint).toBeTruthy();
    expect(`${error.message} ${(error as { hint?: string }).hint}`).toMatch(/peer/);
    expect(await vault.catalog.snapshots()).toEqual([]);
    expect(await vault.catalog.head()).toBeNull();
    for (const [peer, store] of vault.stores) expect([peer, store.all()]).toEqual([peer, []]);
    for (const peer of vault.peers) vault.transport.faults(peer).down = false;
    const { snapshot } = await backUp(vault.engine, OBJECTS);
    await expectRestores(vault.engine, snapshot.id, OBJECTS);
  });

  it('refuses rather than give one operator more than it may have', async () => {
    const vault = await newVault({ peers: 8, operators: 2, policy: { ...POLICY, maxPerOperator: 2 } });
    const error = await rejection(backUp(vault.engine, OBJECTS));
    expect(error.code).toBe('PLACEMENT_REFUSED');
    expect(`${error.message} ${(error as { hint?: string }).hint}`).toMatch(/operator/);
    expect(await vault.catalog.snapshots()).toEqual([]);
    const wider = await newVault({ peers: 8, operators: 3, policy: { ...POLICY, maxPerOperator: 2 } });
    const { snapshot } = await backUp(wider.engine, OBJECTS);
    expect(await separationViolations(wider)).toEqual([]);
    await expectRestores(wider.engine, snapshot.id, OBJECTS);
  });

  it('does not commit when the last possible peer is lost midway', async () => {
    const vault = await newVault({ peers: 5 });
    vault.transport.faults(vault.peers[4]!).failAfter = 2;
    const clock = { ...vault.context.clock, sleep: (_: number) => vault.context.clock.sleep(0) };
    const engine = await vault.reopen({ clock });
    const error = await rejection(backUp(engine, OBJECTS));
    expect(error.code).toBe('PLACEMENT_REFUSED');
    expect(await vault.catalog.snapshots()).toEqual([]);
    vault.transport.faults(vault.peers[4]!).failAfter = Infinity;
    const { snapshot, shardsResumed } = await backUp(await vault.reopen(), OBJECTS);
    expect(shardsResumed).toBeGreaterThan(0);
    await expectRestores(vault.engine, snapshot.id, OBJECTS);
    expect(await separationViolations(vault)).toEqual([]);
  });
});
