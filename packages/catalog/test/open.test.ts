import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
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
import { describe, expect, test } from 'vitest';
import { codeOf, temporaryDirectory } from './temporary.ts';

const newPath = (): string => join(temporaryDirectory(), 'catalog.db');

async function filled(partitions = 50): Promise<string> {
  const path = newPath();
  const catalog = await openCatalog(path);
  const view = await catalog.recordSwarmView(sampleView(9));
  for (let n = 1; n <= partitions; n++) {
    await catalog.journalPartition(sampleJournal(n), sampleNote(view, n % 2 ? ['region'] : []));
    await catalog.completePartition(samplePartitionId(n));
  }
  await catalog.recordProbes([{ peer: samplePeerId(1), at: 1, roundTripMs: 2 }]);
  await catalog.commitSnapshot(sampleSnapshot(1));
  await catalog.close();
  return path;
}

describe('opening a catalog', () => {
  test('makes a file for this user alone, its companions included', async () => {
    const path = newPath();
    const catalog = await openCatalog(path);
    await catalog.putPeer(samplePeer(1));
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    await catalog.close();
    await catalog.close();
  });

  test('reads beside one writer, and sees what it commits', async () => {
    const path = newPath();
    expect(await codeOf(openCatalog(path, { readonly: true }))).toBe('NOT_FOUND');
    const writer = await openCatalog(path);
    const readers = await Promise.all([1, 2, 3].map(() => openCatalog(path, { readonly: true })));
    await writer.journalPartition(sampleJournal(1));
    await writer.completePartition(samplePartitionId(1));
    await writer.commitSnapshot(sampleSnapshot(1));
    for (const reader of readers) {
      expect(await reader.snapshots()).toEqual([sampleSnapshot(1)]);
      expect((await reader.findChunks([sampleChunkId(4)]))[0]?.partition).toBe(1);
      expect(await codeOf(reader.putPeer(samplePeer(1)))).toBe('USAGE');
      await reader.close();
    }
    await writer.close();
  });

  test('says what is wrong with a file that is no catalog', async () => {
    const path = newPath();
    writeFileSync(path, 'This is a text, and no database at all. '.repeat(100));
    expect(await codeOf(openCatalog(path))).toBe('CATALOG_CORRUPT');
    expect(await codeOf(openCatalog(path, { readonly: true }))).toBe('CATALOG_CORRUPT');
    const other = newPath();
    const database = new DatabaseSync(other);
    database.exec('create table notes (text)');
    database.close();
    expect(await codeOf(openCatalog(other))).toBe('CATALOG_CORRUPT');
    expect(await codeOf(openCatalog(join(newPath(), 'missing', 'catalog.db')))).toBe('NOT_FOUND');
    mkdirSync(join(temporaryDirectory(), 'd'));
    expect(await codeOf(openCatalog(temporaryDirectory()))).toBe('NOT_FOUND');
  });

  test('refuses a newer schema', async () => {
    const path = await filled(1);
    const database = new DatabaseSync(path);
    database.exec('pragma user_version = 99');
    database.close();
    expect(await codeOf(openCatalog(path))).toBe('CATALOG_VERSION');
    expect(await codeOf(openCatalog(path, { readonly: true }))).toBe('CATALOG_VERSION');
  });

  test('goes on after a crash between marking the file and making the tables', async () => {
    const path = newPath();
    const database = new DatabaseSync(path);
    database.exec(`pragma application_id = ${0x486f6c64}`);
    database.close();
    const catalog = await openCatalog(path);
    expect((await catalog.totals()).partitions).toBe(0);
    await catalog.close();
  });

  test('notices a truncated file', async () => {
    const path = await filled();
    truncateSync(path, statSync(path).size - 8192);
    expect(await codeOf(openCatalog(path))).toBe('CATALOG_CORRUPT');
  });

  test('damage anywhere gives CATALOG_CORRUPT or right answers, never a crash', async () => {
    const path = await filled();
    const whole = readFileSync(path);
    const outcomes = new Set<unknown>();
    for (let at = 0; at < whole.length; at += 1021) {
      const bytes = Buffer.from(whole);
      bytes.fill(0xff, at, at + 64);
      writeFileSync(path, bytes);
      outcomes.add(await codeOf(readAll(path)));
    }
    expect(
      [...outcomes].filter((outcome) => outcome !== 'CATALOG_CORRUPT' && outcome !== 'no error'),
    ).toEqual([]);
    expect(outcomes.has('CATALOG_CORRUPT')).toBe(true);
  });
});

async function readAll(path: string): Promise<void> {
  const catalog = await openCatalog(path, { readonly: true });
  try {
    await catalog.stripes(Array.from({ length: 60 }, (_, n) => n));
    await catalog.snapshots();
    await catalog.totals();
    await catalog.journalledPartitions();
    await catalog.findChunks(Array.from({ length: 300 }, (_, n) => sampleChunkId(n)));
    await catalog.holders(samplePartitionId(7));
    await catalog.placements(Array.from({ length: 60 }, (_, n) => n));
    await catalog.placementTotals();
    await catalog.swarmView(1);
    await catalog.peerProbes(0);
  } finally {
    await catalog.close();
  }
}
