import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { openCatalog } from '@holdfast/catalog';
import {
  sampleChunkId,
  sampleJournal,
  sampleNote,
  samplePartitionId,
  samplePeer,
  samplePeerId,
  sampleSnapshot,
  sampleView,
} from '@holdfast/testing/catalog-samples';
import { expect, test } from 'vitest';
import { codeOf, temporaryDirectory } from './temporary.ts';

/** A file as the program of that schema version left it; see test/compat/README.md. */
function frozen(version: number): string {
  const path = join(temporaryDirectory(), 'catalog.sqlite');
  const file = new URL(`../../../test/compat/catalog-v${version}/catalog.sqlite.gz`, import.meta.url);
  writeFileSync(path, gunzipSync(readFileSync(file)));
  return path;
}

test('a catalog of schema 1 is brought up to date with all that it holds', async () => {
  const path = frozen(1);
  expect(await codeOf(openCatalog(path, { readonly: true }))).toBe('CATALOG_VERSION');
  const catalog = await openCatalog(path, { clock: { now: () => 7 } });
  try {
    expect(await catalog.peers()).toEqual(
      [0, 1, 2, 3].map((n) => samplePeer(n)).sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    const journals = await catalog.journalledPartitions();
    expect(journals).toEqual([{ ...sampleJournal(3), acknowledged: [0] }]);
    expect((await catalog.findChunks([sampleChunkId(4), sampleChunkId(16)]))[0]?.partition).toBe(1);
    expect(await catalog.snapshots()).toEqual([sampleSnapshot(1)]);
    expect(await catalog.head()).toEqual({ sequence: 1, bytes: Uint8Array.of(1, 2, 3) });
    expect((await catalog.peerEvents()).get(samplePeerId(1))).toEqual({ stored: 5 });
    expect((await catalog.totals()).partitions).toBe(2);
    expect((await catalog.holders(samplePartitionId(2))).map(({ index }) => index)).toEqual([0, 1, 2, 1]);

    const before = await catalog.placements([1, 2, 3, 4]);
    expect(before.map((placement) => placement?.record)).toEqual([null, null, null, undefined]);
    const none = { recorded: 0, relaxed: 0, rules: new Map() };
    expect(await catalog.placementTotals()).toEqual({ ...none, unrecorded: 3 });
    expect(await catalog.peerProbes(0)).toEqual([]);

    const view = await catalog.recordSwarmView(sampleView(3));
    await catalog.journalPartition(sampleJournal(5), sampleNote(view));
    expect((await catalog.placements([5]))[0]?.record).toEqual({
      ...sampleNote(view),
      placedAt: 7,
      moves: [],
    });
    expect(await catalog.placementTotals()).toEqual({ ...none, recorded: 1, unrecorded: 3 });
  } finally {
    await catalog.close();
  }
});

test('what an old catalog becomes is what a new one is', async () => {
  const [old, fresh] = [frozen(1), join(temporaryDirectory(), 'catalog.sqlite')];
  for (const path of [old, fresh]) await (await openCatalog(path)).close();
  const schemaOf = (path: string): unknown => {
    const database = new DatabaseSync(path);
    const tables = database
      .prepare("select name, sql from sqlite_schema where name not like 'kysely%'")
      .all();
    const counters = database.prepare('select name from counter order by name').all();
    database.close();
    return { tables: tables.sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1)), counters };
  };
  expect(schemaOf(old)).toEqual(schemaOf(fresh));
});
