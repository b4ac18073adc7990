import { join } from 'node:path';
import { openCatalog } from '@holdfast/catalog';
import { type Catalog, HoldfastError, PEER_EVENTS } from '@holdfast/contracts';
import {
  sampleChunkId,
  sampleJournal,
  samplePartitionId,
  samplePeer,
  samplePeerId,
  sampleSnapshot,
  sampleSnapshotId,
} from '@holdfast/testing/catalog-samples';
import { MemoryCatalog } from '@holdfast/testing/memory-catalog';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './temporary.ts';

interface Step {
  readonly name: string;
  readonly run: (catalog: Catalog) => Promise<unknown>;
}

const step = <T>(
  name: string,
  parameters: fc.Arbitrary<T>,
  run: (catalog: Catalog, parameters: T) => Promise<unknown>,
): fc.Arbitrary<Step> =>
  parameters.map((values) => ({
    name: `${name} ${JSON.stringify(values)}`,
    run: (catalog) => run(catalog, values),
  }));

/** Few of each, so that steps meet. */
const n = fc.integer({ min: 1, max: 5 });
const index = fc.integer({ min: -1, max: 3 });
const peer = fc.integer({ min: 0, max: 6 });
const journal = fc.record({
  id: n,
  number: n,
  sum: fc.constantFrom(0, 0, 0, 1),
  peers: fc.uniqueArray(peer, { minLength: 3, maxLength: 3 }),
});

const steps: fc.Arbitrary<Step> = fc.oneof(
  step('reserve', fc.integer({ min: 0, max: 3 }), (c, count) => c.reservePartitionNumbers(count)),
  {
    weight: 3,
    arbitrary: step('journal', journal, (c, { id, number, sum, peers }) =>
      c.journalPartition(
        sampleJournal(id, {
          number: number === 5 ? 5 : id,
          peers: peers.map(samplePeerId),
          ...(sum ? { checksum: sampleJournal(99).stripe.checksum } : {}),
        }),
      ),
    ),
  },
  {
    weight: 2,
    arbitrary: step('acknowledge', fc.array(fc.tuple(n, index), { maxLength: 4 }), (c, acks) =>
      c.acknowledgeShards(acks.map(([id, i]) => ({ partition: samplePartitionId(id), index: i }))),
    ),
  },
  {
    weight: 2,
    arbitrary: step('move', fc.tuple(n, index, peer), (c, [id, i, to]) =>
      c.moveJournalledShard(samplePartitionId(id), i, samplePeerId(to)),
    ),
  },
  { weight: 2, arbitrary: step('complete', n, (c, id) => c.completePartition(samplePartitionId(id))) },
  step('abandon', n, (c, id) => c.abandonPartition(samplePartitionId(id))),
  step('snapshot', fc.tuple(n, n), (c, [id, sequence]) => c.commitSnapshot(sampleSnapshot(id, { sequence }))),
  step('head', n, (c, sequence) => c.recordHead(sequence, Uint8Array.of(sequence))),
  step('peer', fc.tuple(peer, n), (c, [id, port]) => c.putPeer(samplePeer(id, { port }))),
  step('event', fc.tuple(peer, fc.constantFrom(...PEER_EVENTS), n), (c, [id, event, count]) =>
    c.countPeerEvent(samplePeerId(id), event, count),
  ),
);

const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error: unknown) => {
    if (HoldfastError.is(error)) return { code: error.code, message: error.message };
    throw error;
  });

async function everything(catalog: Catalog): Promise<unknown> {
  const ids = [1, 2, 3, 4, 5];
  return {
    chunks: await catalog.findChunks(Array.from({ length: 26 }, (_, i) => sampleChunkId(i))),
    stripes: await catalog.stripes([0, ...ids]),
    journals: await catalog.journalledPartitions(),
    holders: await Promise.all(ids.map((id) => catalog.holders(samplePartitionId(id)))),
    snapshots: await catalog.snapshots(),
    snapshot: await catalog.snapshot(sampleSnapshotId(2)),
    head: await catalog.head(),
    peers: await catalog.peers(),
    events: await catalog.peerEvents(),
    totals: await catalog.totals(),
  };
}

test('any sequence of calls has the same answers on SQLite as in memory', { timeout: 120_000 }, async () => {
  const directory = temporaryDirectory();
  let run = 0;
  const property = fc.asyncProperty(
    fc.array(steps, { maxLength: 40 }),
    fc.nat(),
    async (sequence, reopenAt) => {
      let now = 0;
      const clock = { now: () => now };
      const path = join(directory, `${run++}.db`);
      const memory = new MemoryCatalog({ clock });
      let sqlite = await openCatalog(path, { clock });
      try {
        for (const [i, { name, run: call }] of sequence.entries()) {
          now += 1;
          expect(await outcome(call(sqlite)), name).toEqual(await outcome(call(memory)));
          if (i !== reopenAt % sequence.length) continue;
          await sqlite.close();
          sqlite = await openCatalog(path, { clock });
        }
        expect(await everything(sqlite)).toEqual(await everything(memory));
      } finally {
        await sqlite.close();
      }
    },
  );
  await fc.assert(property, { numRuns: 100 });
});
