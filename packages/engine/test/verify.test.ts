import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '../src/index.ts';
import { backUp, randomFile } from './content.ts';
import { shardsOf } from './separation.ts';
import { POLICY } from './test-vault.ts';
import { newVault } from './vaults.ts';

const OBJECTS = [randomFile('a', 7_000_000), randomFile('b', 50_000)];

describe('verify', () => {
  it('finds nothing wrong with what is whole', async () => {
    const vault = await newVault();
    const first = await backUp(vault.engine, OBJECTS);
    const second = await backUp(vault.engine, [...OBJECTS, randomFile('c', 1_000)]);
    const report = await vault.engine.verify({ sample: 1 });
    const stripes = new Map(
      [
        ...(await vault.engine.partitions(first.snapshot.id)),
        ...(await vault.engine.partitions(second.snapshot.id)),
      ].map((stripe) => [stripe.number, stripe]),
    );
    expect(report).toMatchObject({
      snapshots: [first.snapshot.id, second.snapshot.id],
      partitions: stripes.size,
      checkedPartitions: stripes.size,
      checkedShards: stripes.size * (POLICY.k + POLICY.m),
      damaged: [],
      lost: [],
      faults: [],
      restorable: true,
      healthy: true,
    });
  });

  it('tells wrong bytes, missing shards and silent peers apart, and how much margin is left', async () => {
    const vault = await newVault({ peers: 8 });
    const { snapshot } = await backUp(vault.engine, OBJECTS);
    const stripe = (await vault.engine.partitions(snapshot.id)).find(({ rawSize }) => rawSize > 1_000_000)!;
    const [rotten, lost, silent] = shardsOf(vault, stripe.id);
    vault.stores.get(rotten!.peer)!.damage(rotten!.id, 500);
    vault.stores.get(lost!.peer)!.lose(lost!.id);
    const events: EngineEvent[] = [];
    const report = await vault.engine.verify({ sample: 1, onEvent: (event) => events.push(event) });
    expect(report).toMatchObject({ restorable: true, healthy: false, lost: [] });
    expect(report.damaged).toHaveLength(1);
    expect(report.damaged[0]).toMatchObject({
      partition: stripe.id,
      number: stripe.number,
      k: 3,
      m: 2,
      margin: 0,
    });
    expect([...report.damaged[0]!.bad].sort((a, b) => a.index - b.index)).toEqual([
      { index: 0, peer: rotten!.peer, problem: 'wrong-bytes' },
      { index: 1, peer: lost!.peer, problem: 'missing' },
    ]);
    expect(events.map(({ type }) => type).sort()).toEqual(['shard-missing', 'wrong-bytes']);

    vault.transport.faults(silent!.peer).down = true;
    const worse = await vault.engine.verify({ sample: 1 });
    expect(worse).toMatchObject({ restorable: false, healthy: false });
    expect(worse.lost).toEqual([{ partition: stripe.id, snapshots: [snapshot.id] }]);
    const health = worse.damaged.find(({ partition }) => partition === stripe.id)!;
    expect(health.margin).toBe(-1);
    expect(health.bad).toContainEqual({ index: 2, peer: silent!.peer, problem: 'unreachable' });
    expect(worse.faults.map(({ peer }) => peer).sort()).toEqual(
      [rotten!.peer, lost!.peer, silent!.peer].sort(),
    );
  });

  it('checks a sample when asked for one, at least one partition', async () => {
    const vault = await newVault();
    const { snapshot } = await backUp(vault.engine, OBJECTS);
    const { length } = await vault.engine.partitions(snapshot.id);
    const half = await vault.engine.verify({ snapshot: snapshot.id, sample: 0.5 });
    expect(half.partitions).toBe(length);
    expect(half.checkedPartitions).toBe(Math.round(length / 2));
    expect((await vault.engine.verify({ sample: 0.0001 })).checkedPartitions).toBe(1);
  });

  it('counts a snapshot whose manifest is gone as lost', async () => {
    const vault = await newVault();
    const { snapshot } = await backUp(vault.engine, OBJECTS);
    const second = await backUp(vault.engine, [randomFile('other', 1_000)], { name: 'other' });
    for (const { id, peer } of shardsOf(vault, snapshot.manifest.id).slice(0, 3))
      vault.stores.get(peer)!.lose(id);
    const report = await vault.engine.verify({ sample: 1 });
    expect(report.restorable).toBe(false);
    expect(report.lost).toEqual([{ partition: snapshot.manifest.id, snapshots: [snapshot.id] }]);
    expect((await vault.engine.verify({ snapshot: second.snapshot.id, sample: 1 })).healthy).toBe(true);
  });

  it('works on a vault without snapshots', async () => {
    const vault = await newVault();
    expect(await vault.engine.verify({ sample: 1 })).toMatchObject({ partitions: 0, healthy: true });
  });
});
