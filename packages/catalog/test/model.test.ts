import { join } from 'node:path';
import { openCatalog } from '@holdfast/catalog';
import {
  type Catalog,
  HoldfastError,
  PEER_EVENTS,
  PROBE_HOUR_MS,
  PROBE_HOURS_KEPT,
} from '@holdfast/contracts';
import {
  sampleChunkId,
  sampleJournal,
  sampleNote,
  samplePartitionId,
  samplePeer,
  samplePeerId,
  sampleSnapshot,
  sampleSnapshotId,
  sampleView,
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
  note: fc.boolean(),
});
/** Views 1 … are there once they were recorded. */
const view = fc.integer({ min: 1, max: 3 });
const relaxed = fc.uniqueArray(fc.constantFrom('region', 'continent', 'load'), { maxLength: 2 });
/** So that windows of one hour meet, and some become old. */
const HOURS = PROBE_HOURS_KEPT * PROBE_HOUR_MS;
const trip = fc.option(fc.integer({ min: -1, max: 9_000 }).map((us) => us / 1000));

const steps: fc.Arbitrary<Step> = fc.oneof(
  step('reserve', fc.integer({ min: 0, max: 3 }), (c, count) => c.reservePartitionNumbers(count)),
  {
    weight: 3,
    arbitrary: step('journal', fc.tuple(journal, view, relaxed), (c, [facts, ref, rules]) => {
      const { id, number, sum, peers, note } = facts;
      return c.journalPartition(
        sampleJournal(id, {
          number: number === 5 ? 5 : id,
          peers: peers.map(samplePeerId),
          ...(sum ? { checksum: sampleJournal(99).stripe.checksum } : {}),
        }),
        ...(note ? [sampleNote(ref, rules)] : []),
      );
    }),
  },
  {
    weight: 2,
    arbitrary: step('acknowledge', fc.array(fc.tuple(n, index), { maxLength: 4 }), (c, acks) =>
      c.acknowledgeShards(acks.map(([id, i]) => ({ partition: samplePartitionId(id), index: i }))),
    ),
  },
  {
    weight: 2,
    arbitrary: step('move', fc.tuple(n, index, peer, view, relaxed), (c, [id, i, to, ref, rules]) =>
      c.moveJournalledShard(samplePartitionId(id), i, samplePeerId(to), sampleNote(ref, rules)),
    ),
  },
  { weight: 2, arbitrary: step('view', view, (c, peers) => c.recordSwarmView(sampleView(peers))) },
  step('probe', fc.array(fc.tuple(peer, fc.nat(2), trip), { maxLength: 3 }), (c, probes) =>
    c.recordProbes(
      probes.map(([id, hour, roundTripMs]) => {
        return { peer: samplePeerId(id), at: HOURS + hour * PROBE_HOUR_MS, roundTripMs };
      }),
    ),
  ),
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
    views: await Promise.all([1, 2, 3, 4].map((ref) => catalog.swarmView(ref))),
    placements: await catalog.placements([0, ...ids]),
    newest: await catalog.newestPlacement(),
    placementTotals: await catalog.placementTotals(),
    numbers: await Promise.all(ids.map((id) => catalog.partitionNumber(samplePartitionId(id)))),
    probes: await catalog.peerProbes(0),
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
          // Every tenth step is two hours later, at the age at which windows are merged.
          now = 2 * HOURS + i + 2 * PROBE_HOUR_MS * Math.floor(i / 10);
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
