import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { openCatalog } from '@holdfast/catalog';
import {
  sampleChunkId,
  samplePartitionId,
  samplePeerId,
  sampleSnapshot,
  sampleStripe,
} from '@holdfast/testing/catalog-samples';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './temporary.ts';

const RUNS = 12;

/** Lets the child take some steps, kills it in the middle of the next, and gives back what it said was durable. */
async function killedRun(path: string, steps: number, moment: number): Promise<string[]> {
  const script = join(import.meta.dirname, 'crash-child.ts');
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  let output = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    output += text;
    if (output.split('\n').length <= steps || child.killed) continue;
    await setTimeout(moment);
    child.kill('SIGKILL');
  }
  expect(await exit).toEqual([null, 'SIGKILL']);
  return output.split('\n').slice(0, -1);
}

test(`${RUNS} kills in the middle of writing lose nothing that was promised`, {
  timeout: 120_000,
}, async () => {
  const path = join(temporaryDirectory(), 'catalog.db');
  const promised: string[] = [];
  for (let run = 0; run < RUNS; run++) {
    promised.push(...(await killedRun(path, 1 + ((run * 7) % 40), (run * 3) % 8)));
    const database = new DatabaseSync(path);
    expect(database.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
    expect(database.prepare('pragma foreign_key_check').all()).toEqual([]);
    database.close();
  }

  const numbers = (step: string): number[] =>
    promised.filter((line) => line.startsWith(`${step} `)).map((line) => Number(line.split(' ')[1]));
  const reserved = numbers('reserved');
  expect(new Set(reserved).size).toBe(reserved.length);
  expect(numbers('complete').length).toBeGreaterThan(RUNS);

  const catalog = await openCatalog(path);
  const moved = (n: number) =>
    sampleStripe(n, { peers: [samplePeerId(0), samplePeerId(9), samplePeerId(2)] });
  const complete = numbers('complete');
  expect(await catalog.stripes(complete)).toEqual(complete.map(moved));
  expect((await catalog.findChunks(complete.map((n) => sampleChunkId(4 * n)))).includes(null)).toBe(false);
  for (const n of numbers('moved')) {
    expect((await catalog.holders(samplePartitionId(n))).map((holder) => holder.index)).toEqual([0, 1, 2, 1]);
  }
  const journals = new Map(
    (await catalog.journalledPartitions()).map((journal) => [journal.stripe.number, journal]),
  );
  for (const n of numbers('acknowledged')) {
    const journal = journals.get(n);
    if (journal) expect(journal.acknowledged).toEqual([0]);
    else expect((await catalog.stripes([n]))[0]).toEqual(moved(n));
  }
  const snapshots = await catalog.snapshots();
  expect(snapshots).toEqual(snapshots.map((_, i) => sampleSnapshot(i + 1)));
  expect(snapshots.length).toBeGreaterThanOrEqual(numbers('snapshot').length);
  expect((await catalog.head())?.sequence ?? 0).toBeGreaterThanOrEqual(Math.max(0, ...numbers('head')));

  const totals = await catalog.totals();
  const all = await catalog.stripes(Array.from({ length: Math.max(...reserved) + 2 }, (_, n) => n));
  const present = all.filter((stripe) => stripe !== null);
  expect(totals.partitions).toBe(present.length);
  expect(totals.chunks).toBe(4 * present.length);
  expect(totals.shards).toBe(3 * present.length);
  expect([...totals.shardsByPeer.values()].reduce((sum, shards) => sum + shards, 0)).toBe(totals.shards);
  await catalog.close();
});
