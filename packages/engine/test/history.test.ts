import { randomBytes } from 'node:crypto';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import { memorySource } from '@holdfast/testing/memory-source';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestVault, testVault } from './test-vault.ts';

const source = () => memorySource([{ path: 'file', content: randomBytes(100_000) }]);

describe('the history on the peers', () => {
  let vault: TestVault;
  beforeEach(async () => {
    vault = await testVault();
  });
  afterEach(() => vault.close());

  const sequences = async () =>
    Promise.all(
      [...vault.stores.values()].map(async (store) => (await store.getHead(vault.context.owner))?.sequence),
    );

  it('is not written to from a catalog that is older', async () => {
    const old = new MemoryCatalog();
    for (const peer of await vault.catalog.peers()) await old.putPeer(peer);
    await vault.engine.backup({ name: 'a', source: source() });
    await vault.engine.backup({ name: 'a', source: source() });
    const engine = await vault.reopen({ catalog: old });
    await expect(engine.backup({ name: 'a', source: source() })).rejects.toMatchObject({
      code: 'PEER_HEAD_STALE',
    });
    expect(await old.snapshots()).toEqual([]);
    expect(new Set(await sequences())).toEqual(new Set([2]));
  });

  it('is not blocked by a peer that makes up a newer head', async () => {
    await vault.engine.backup({ name: 'a', source: source() });
    const [store] = vault.stores.values();
    await store!.putHead(vault.context.owner, { sequence: 99, bytes: randomBytes(4096) });
    const { snapshot } = await vault.engine.backup({ name: 'a', source: source() });
    expect(snapshot.sequence).toBe(2);
  });

  it('reaches peers that missed a head with the next run', async () => {
    const [away] = vault.peers;
    vault.transport.faults(away!).down = true;
    await vault.engine.backup({ name: 'a', source: source() });
    vault.transport.faults(away!).down = false;
    const aborted = vault.engine.backup({
      name: 'a',
      source: source(),
      onProgress: ({ phase }) => {
        if (phase === 'resume') throw new Error('stop here');
      },
    });
    await expect(aborted).rejects.toThrow();
    expect(new Set(await sequences())).toEqual(new Set([1]));
  });
});

it('shards move to any peer that may take them, however many fail', async () => {
  const policy = {
    version: 1,
    k: 2,
    m: 2,
    helpers: 0,
    maxPerOperator: 1,
    compressionLevel: 1,
    leaseDays: 30,
  };
  const vault = await testVault({ policy });
  try {
    for (const peer of vault.peers.slice(0, 3)) vault.transport.faults(peer).failAfter = 5;
    const { snapshot } = await vault.engine.backup({
      name: 'a',
      source: memorySource([{ path: 'a', content: randomBytes(8 * 1024 * 1024) }]),
    });
    expect(snapshot.complete).toBe(true);
  } finally {
    await vault.close();
  }
});
