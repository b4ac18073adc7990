import { HoldfastError, type ShardId, type ShardTransport } from '@holdfast/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineContext } from '../src/index.ts';
import { backUp, database, expectRestores, randomFile, rejection } from './content.ts';
import { separationViolations } from './separation.ts';
import { POLICY, type TestVault } from './test-vault.ts';
import { newVault } from './vaults.ts';

interface Recorded {
  readonly transport: ShardTransport;
  /** Peer and shard of every PUT that was sent, and of every one that the peer confirmed. */
  readonly sent: Set<string>;
  readonly stored: Map<string, ShardId>;
}

/** Lets so many PUTs through; the next one calls `stop` and fails. */
function recording(vault: TestVault, allowed = Infinity, stop: () => void = () => {}): Recorded {
  const sent = new Set<string>();
  const stored = new Map<string, ShardId>();
  const { put } = vault.transport;
  let begun = 0;
  const transport: ShardTransport = {
    ...vault.transport,
    put: async (peer, shard, options) => {
      if (begun++ >= allowed) {
        stop();
        throw new HoldfastError('CANCELLED', 'The test stops here.');
      }
      sent.add(`${peer} ${shard.id}`);
      const result = await put(peer, shard, options);
      stored.set(`${peer} ${shard.id}`, shard.id);
      return result;
    },
  };
  return { transport, sent, stored };
}

const OBJECTS = [
  randomFile('a', 5_000_000),
  randomFile('b', 900_000),
  ...Array.from({ length: 20 }, (_, i) => randomFile(`small/${i + 10}`, 4_000)),
];

/** Two partitions of data; metadata follows. */
const DATA_SHARDS = 2 * (POLICY.k + POLICY.m);

/** A backup that is aborted after so many shards, if it is not done before. */
async function interrupted(
  vault: TestVault,
  after: number,
  objects = OBJECTS,
): Promise<{ done: boolean; first: Recorded }> {
  const controller = new AbortController();
  const first = recording(vault, after, () => controller.abort());
  const engine = await vault.reopen({ transport: first.transport });
  try {
    await backUp(engine, objects, { signal: controller.signal });
    return { done: true, first };
  } catch (error) {
    expect(error).toMatchObject({ code: 'CANCELLED' });
    return { done: false, first };
  }
}

async function resumed(vault: TestVault, changes: Partial<EngineContext> = {}, objects = OBJECTS) {
  const second = recording(vault);
  const engine = await vault.reopen({ ...changes, transport: second.transport });
  const report = await backUp(engine, objects);
  return { report, second, engine };
}

const inCommon = (a: ReadonlySet<string>, b: ReadonlyMap<string, unknown>): string[] =>
  [...a].filter((key) => b.has(key));

describe('a backup that was interrupted', { timeout: 90_000 }, () => {
  it('goes on without sending acknowledged shards again, wherever it was stopped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 24 }), async (after) => {
        const vault = await newVault({ peers: 7 });
        const { done, first } = await interrupted(vault, after);
        const journalled = await vault.catalog.journalledPartitions();
        const { report, second, engine } = await resumed(vault);
        expect(inCommon(second.sent, first.stored)).toEqual([]);
        expect(await vault.catalog.journalledPartitions()).toEqual([]);
        await expectRestores(engine, report.snapshot.id, OBJECTS);
        expect(await separationViolations(vault)).toEqual([]);
        // Metadata is made anew by the second run; data is the same and is taken up where it was left.
        const begun = journalled.some(({ stripe }) =>
          stripe.shards.some(({ peer }, index) =>
            first.stored.has(`${peer} ${vault.context.keys.shardId(stripe.epoch, stripe.id, index)}`),
          ),
        );
        if (!done && after < DATA_SHARDS && begun) expect(report.shardsResumed).toBeGreaterThan(0);
      }),
      { numRuns: 7 },
    );
  });

  it('is stopped by dying peers just as well', async () => {
    const vault = await newVault({ peers: 6 });
    for (const peer of vault.peers) vault.transport.faults(peer).failAfter = 6;
    const clock = { ...vault.context.clock, sleep: (_: number) => vault.context.clock.sleep(0) };
    const first = recording(vault);
    const error = await rejection(backUp(await vault.reopen({ transport: first.transport, clock }), OBJECTS));
    expect(error.code).toMatch(/^(PLACEMENT_REFUSED|PEER_)/);
    expect(first.stored.size).toBeGreaterThan(0);
    for (const peer of vault.peers) vault.transport.faults(peer).failAfter = Infinity;
    const { report, second, engine } = await resumed(vault);
    expect(inCommon(second.sent, first.stored)).toEqual([]);
    expect(await vault.catalog.journalledPartitions()).toEqual([]);
    await expectRestores(engine, report.snapshot.id, OBJECTS);
    expect(await separationViolations(vault)).toEqual([]);
  });

  it('is right when the source changed meanwhile', async () => {
    const vault = await newVault({ peers: 7 });
    await interrupted(vault, 3);
    const changed = [randomFile('a', 3_000_000), ...OBJECTS.slice(1, 12), randomFile('z', 200_000)];
    const { report, engine } = await resumed(vault, {}, changed);
    expect(await vault.catalog.journalledPartitions()).toEqual([]);
    await expectRestores(engine, report.snapshot.id, changed);
    expect(await separationViolations(vault)).toEqual([]);
  });

  it.each([
    { before: 1, after: 3 },
    { before: 3, after: 1 },
    { before: 3, after: 0 },
    { before: 0, after: 3 },
  ])(
    'is right when the compressor gives other bytes: level $before, then $after',
    async ({ before, after }) => {
      const text = Buffer.from(
        Array.from({ length: 150_000 }, (_, i) => `${(i * 2654435761) >>> 0} ${i % 91} of ${i >> 3}\n`).join(
          '',
        ),
      );
      // Compressible and several partitions' worth, between parts that are not.
      const objects = [
        randomFile('a', 2_500_000),
        { path: 'b', content: text },
        database(randomFile('', 3_000_000).content!),
      ];
      const vault = await newVault({ peers: 7, policy: { ...POLICY, compressionLevel: before } });
      await interrupted(vault, 3, objects);
      const policy = { ...POLICY, compressionLevel: after };
      const { report, engine } = await resumed(vault, { policy }, objects);
      expect(await vault.catalog.journalledPartitions()).toEqual([]);
      await expectRestores(engine, report.snapshot.id, objects);
      expect(await separationViolations(vault)).toEqual([]);
    },
  );

  it.each([0, 1, 9])('gives up partitions that no longer fit: level 9, then %i', async (after) => {
    const text = Buffer.from(
      Array.from({ length: 60_000 }, (_, i) => `row ${(i * i) % 9973} of a table\n`).join(''),
    );
    for (const objects of [[{ path: 'text', content: text }], [database(text)]]) {
      const vault = await newVault({ peers: 7, policy: { ...POLICY, compressionLevel: 9 } });
      const { done } = await interrupted(vault, 2, objects);
      expect(done).toBe(false);
      expect(await vault.catalog.journalledPartitions()).toHaveLength(1);
      const policy = { ...POLICY, compressionLevel: after };
      const { report, engine } = await resumed(vault, { policy }, objects);
      expect(report.shardsResumed > 0).toBe(after === 9);
      expect(await vault.catalog.journalledPartitions()).toEqual([]);
      await expectRestores(engine, report.snapshot.id, objects);
    }
  });

  it('starts partitions anew when the code changed', async () => {
    const vault = await newVault({ peers: 7 });
    await interrupted(vault, 3);
    const policy = { ...POLICY, k: 2, m: 3, maxPerOperator: 1 };
    const { report, engine } = await resumed(vault, { policy });
    expect(await vault.catalog.journalledPartitions()).toEqual([]);
    await expectRestores(engine, report.snapshot.id, OBJECTS);
  });

  it('puts very many small chunks back into new partitions', async () => {
    const files = Array.from({ length: 400 }, (_, i) => randomFile(`file ${i + 1000}`, 3_000));
    const vault = await newVault({ peers: 7 });
    const { done } = await interrupted(vault, 2, files);
    expect(done).toBe(false);
    const changed = files.slice(1);
    const { report, engine } = await resumed(vault, {}, changed);
    expect(await vault.catalog.journalledPartitions()).toEqual([]);
    await expectRestores(engine, report.snapshot.id, changed);
  });

  it('gives up partitions that break a rule which is stricter now', async () => {
    const vault = await newVault({ peers: 9, operators: 5 });
    expect((await interrupted(vault, 4)).done).toBe(false);
    const policy = { ...POLICY, maxPerOperator: 1 };
    const { report, engine } = await resumed(vault, { policy });
    expect(await vault.catalog.journalledPartitions()).toEqual([]);
    await expectRestores(engine, report.snapshot.id, OBJECTS);
  });

  it('does without a peer that was removed meanwhile', async () => {
    const vault = await newVault({ peers: 7 });
    expect((await interrupted(vault, 4)).done).toBe(false);
    const [journal] = await vault.catalog.journalledPartitions();
    const index = journal!.stripe.shards.findIndex((_, i) => !journal!.acknowledged.includes(i));
    const gone = journal!.stripe.shards[index]!.peer;
    const record = (await vault.catalog.peers()).find(({ id }) => id === gone)!;
    await vault.catalog.putPeer({ ...record, state: 'left' });
    vault.transport.faults(gone).down = true;
    const { report, engine } = await resumed(vault);
    expect(await vault.catalog.journalledPartitions()).toEqual([]);
    for (const { shards } of await engine.partitions(report.snapshot.id))
      expect(shards.map(({ peer }) => peer)).not.toContain(gone);
    await expectRestores(engine, report.snapshot.id, OBJECTS);
    expect(await separationViolations(vault)).toEqual([]);
  });

  it('gives up a partition of which past holders leave nobody to take the rest', async () => {
    const vault = await newVault({ peers: 6 });
    expect((await interrupted(vault, 2)).done).toBe(false);
    const [journal] = await vault.catalog.journalledPartitions();
    const { id, shards } = journal!.stripe;
    const [moved, lost] = shards.flatMap((_, index) =>
      journal!.acknowledged.includes(index) ? [] : [index],
    );
    const spare = vault.peers.find((peer) => shards.every((shard) => shard.peer !== peer))!;
    await vault.catalog.moveJournalledShard(id, moved!, spare);
    vault.transport.faults(shards[lost!]!.peer).down = true;
    const clock = { ...vault.context.clock, sleep: () => vault.context.clock.sleep(0) };
    const { report, engine } = await resumed(vault, { clock });
    expect(await vault.catalog.journalledPartitions()).toEqual([]);
    await expectRestores(engine, report.snapshot.id, OBJECTS);
    expect(await separationViolations(vault)).toEqual([]);
  });

  it('may be interrupted again and again', async () => {
    const vault = await newVault({ peers: 7 });
    for (const after of [2, 1, 3, 2]) await interrupted(vault, after);
    const { report, engine } = await resumed(vault);
    expect(await vault.catalog.journalledPartitions()).toEqual([]);
    await expectRestores(engine, report.snapshot.id, OBJECTS);
    expect(await separationViolations(vault)).toEqual([]);
  });
});
