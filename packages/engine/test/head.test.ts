import { randomBytes } from 'node:crypto';
import { openBox, VaultKeys } from '@holdfast/crypto';
import { decodeHead, decodePublicHead } from '@holdfast/formats';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import { describe, expect, it } from 'vitest';
import { HEAD_DOMAIN } from '../src/manifest/head-keeper.ts';
import { backUp, expectRestores, randomFile, rejection } from './content.ts';
import { newVault } from './vaults.ts';

function decode(bytes: Uint8Array, keys: VaultKeys) {
  const verifier = keys.verifier();
  return decodeHead(bytes, {
    verify: (domain, content, signature) => verifier.verify(domain, content, signature),
    open: (sealed, associated) => openBox({ key: keys.headKey(), domain: HEAD_DOMAIN, associated }, sealed),
  });
}

describe('the head', () => {
  it('grows with each snapshot, lies on all peers, and opens for its owner alone', async () => {
    const vault = await newVault({ peers: 6 });
    const { owner, keys } = vault.context;
    const stranger = VaultKeys.fromRoot(randomBytes(32));
    for (const expected of [1, 2, 3]) {
      const { snapshot, headPeers } = await backUp(vault.engine, [randomFile('a', 1_000)]);
      expect(snapshot.sequence).toBe(expected);
      expect(headPeers).toBe(6);
      for (const store of vault.stores.values()) {
        const { sequence, bytes } = (await store.getHead(owner))!;
        expect(sequence).toBe(expected);
        expect(decode(bytes, keys)).toMatchObject({
          owner,
          sequence,
          snapshot: snapshot.id,
          manifest: snapshot.manifest,
        });
        expect(() => decode(bytes, stranger)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }));
        const text = Buffer.from(bytes).toString('latin1');
        for (const { peer } of snapshot.manifest.shards) expect(text).not.toContain(peer);
        const anyone = decodePublicHead(bytes, () => true);
        expect(Object.keys(anyone).sort()).toEqual(['owner', 'sequence', 'writtenAt']);
      }
    }
  });

  it('cannot be replaced by an older one', async () => {
    const vault = await newVault({ peers: 6 });
    const { owner } = vault.context;
    const [peer] = vault.peers;
    await backUp(vault.engine, [randomFile('a', 1_000)]);
    const old = (await vault.stores.get(peer!)!.getHead(owner))!;
    await backUp(vault.engine, [randomFile('a', 1_000)]);
    expect((await rejection(vault.transport.putHead(peer!, old))).code).toBe('PEER_HEAD_STALE');
  });

  it('reaches a majority, or the run says that it did not', async () => {
    const vault = await newVault({ peers: 8, operators: 8 });
    const { putHead } = vault.transport;
    let down = 4;
    const transport = {
      ...vault.transport,
      putHead: ((peer, head, options) => {
        if (vault.peers.indexOf(peer) < down) vault.transport.faults(peer).down = true;
        return putHead(peer, head, options);
      }) as typeof putHead,
    };
    const objects = [randomFile('a', 1_000)];
    const error = await rejection(backUp(await vault.reopen({ transport }), objects));
    expect(error).toMatchObject({ code: 'INCOMPLETE', details: { written: 4, peers: 8 } });
    for (const peer of vault.peers) vault.transport.faults(peer).down = false;
    down = 3;
    const { snapshot, headPeers } = await backUp(await vault.reopen({ transport }), objects);
    expect(headPeers).toBe(5);
    for (const peer of vault.peers) vault.transport.faults(peer).down = false;
    await expectRestores(vault.engine, snapshot.id, objects);
  });

  it('is believed only as far as it is signed: a peer cannot make up a later one', async () => {
    const vault = await newVault({ peers: 6 });
    const objects = [randomFile('a', 1_000)];
    const { snapshot } = await backUp(vault.engine, objects);
    const [liar] = vault.peers;
    const getHead: typeof vault.transport.getHead = async (peer, options) => {
      const head = await vault.transport.getHead(peer, options);
      return peer === liar && head ? { ...head, sequence: 999 } : head;
    };
    const engine = await vault.reopen({ transport: { ...vault.transport, getHead } });
    const next = await backUp(engine, objects);
    expect(next.snapshot.sequence).toBe(snapshot.sequence + 1);
  });

  it('stops an owner whose catalog went back in time', async () => {
    const vault = await newVault({ peers: 6 });
    const objects = [randomFile('a', 1_000)];
    for (let i = 0; i < 2; i++) await backUp(vault.engine, objects);
    const catalog = new MemoryCatalog();
    for (const peer of await vault.catalog.peers()) await catalog.putPeer(peer);
    const forgetful = await vault.reopen({ catalog, cacheDirectory: `${vault.context.cacheDirectory}/new` });
    const error = await rejection(backUp(forgetful, objects));
    expect(['INCOMPLETE', 'HEAD_ROLLED_BACK', 'PEER_HEAD_STALE']).toContain(error.code);
    for (const store of vault.stores.values())
      expect((await store.getHead(vault.context.owner))!.sequence).toBe(2);
  });
});
