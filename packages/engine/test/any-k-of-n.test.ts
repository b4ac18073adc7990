import type { PeerId } from '@holdfast/contracts';
import { memorySink } from '@holdfast/testing/memory-sink';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backUp, expectRestores, randomFile, rejection } from './content.ts';
import { separationViolations, shardsOf } from './separation.ts';
import { POLICY, type TestVault } from './test-vault.ts';
import { newVault } from './vaults.ts';

const OBJECTS = [randomFile('a', 150_000), randomFile('b/c', 40_000), randomFile('b/empty', 0)];

function choices<T>(items: readonly T[], count: number): T[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, i) => choices(items.slice(i + 1), count - 1).map((rest) => [item, ...rest]));
}

function setDown(vault: TestVault, down: readonly PeerId[]): void {
  for (const peer of vault.peers) vault.transport.faults(peer).down = down.includes(peer);
}

describe('any k of n', { timeout: 90_000 }, () => {
  it('restores the same whichever m peers are down, and refuses whichever m + 1 are', async () => {
    // As many peers as shards: every peer has a shard of every partition.
    const vault = await newVault({ peers: POLICY.k + POLICY.m });
    const { snapshot } = await backUp(vault.engine, OBJECTS);
    for (const down of choices(vault.peers, POLICY.m)) {
      setDown(vault, down);
      await expectRestores(vault.engine, snapshot.id, OBJECTS);
    }
    for (const down of choices(vault.peers, POLICY.m + 1)) {
      setDown(vault, down);
      const sink = memorySink();
      const error = await rejection(vault.engine.restore({ snapshot: snapshot.id, sink }));
      expect(error.code).toBe('TOO_FEW_SHARDS');
      expect(sink.state).toBe('aborted');
      const { partitions } = error.details as { partitions: LostPartition[] };
      expect(partitions[0]).toMatchObject({ partition: snapshot.manifest.id, have: 2, need: 3 });
      expect(new Set(partitions[0]!.bad.map(({ peer }) => peer))).toEqual(new Set(down));
      for (const peer of down) expect(error.message).toContain(`peer${vault.peers.indexOf(peer)}`);
    }
    setDown(vault, []);
    await expectRestores(vault.engine, snapshot.id, OBJECTS);
  });

  it('names every partition that lacks shards, and leaves nothing that looks complete', async () => {
    const vault = await newVault({ peers: 8 });
    const objects = [randomFile('a', 3_500_000), randomFile('b', 3_500_000)];
    const { snapshot } = await backUp(vault.engine, objects);
    const data = (await vault.engine.partitions(snapshot.id)).filter(({ rawSize }) => rawSize > 1_000_000);
    expect(data.length).toBeGreaterThan(1);
    for (const { id } of data) {
      for (const shard of shardsOf(vault, id).slice(0, 3)) vault.stores.get(shard.peer)!.lose(shard.id);
    }
    const sink = memorySink();
    const error = await rejection(vault.engine.restore({ snapshot: snapshot.id, sink }));
    expect(error.code).toBe('TOO_FEW_SHARDS');
    expect(sink.state).toBe('aborted');
    const { partitions } = error.details as { partitions: LostPartition[] };
    expect(new Set(partitions.map(({ partition }) => partition))).toEqual(new Set(data.map(({ id }) => id)));
    for (const { partition, bad } of partitions) {
      const { shards } = data.find(({ id }) => id === partition)!;
      expect(bad.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
      for (const { index, peer } of bad) expect(peer).toBe(shards[index]!.peer);
      expect(bad.every(({ problem }) => problem === 'missing')).toBe(true);
    }
  });

  it('holds for codes and losses of every kind', async () => {
    const scenario = fc
      .record({ k: fc.integer({ min: 2, max: 5 }), m: fc.integer({ min: 1, max: 4 }), spare: fc.nat(3) })
      .chain(({ k, m, spare }) =>
        fc.record({
          k: fc.constant(k),
          m: fc.constant(m),
          peers: fc.constant(k + m + spare),
          down: fc.uniqueArray(fc.nat(k + m + spare - 1), { maxLength: m }),
          bytes: fc.integer({ min: 0, max: 400_000 }),
        }),
      );
    await fc.assert(
      fc.asyncProperty(scenario, async ({ k, m, peers, down, bytes }) => {
        const policy = { ...POLICY, k, m, maxPerOperator: Math.min(m, k - 1) };
        const vault = await newVault({ peers, policy });
        const objects = [randomFile('only', bytes)];
        const { snapshot } = await backUp(vault.engine, objects);
        expect(await separationViolations(vault)).toEqual([]);
        setDown(
          vault,
          down.map((i) => vault.peers[i]!),
        );
        await expectRestores(vault.engine, snapshot.id, objects);
      }),
      { numRuns: 8 },
    );
  });
});

interface LostPartition {
  readonly partition: string;
  readonly have: number;
  readonly need: number;
  readonly bad: readonly { readonly index: number; readonly peer: PeerId; readonly problem: string }[];
}
