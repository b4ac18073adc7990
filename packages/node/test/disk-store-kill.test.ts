import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { samplePeerId, sampleShardId } from '@holdfast/testing/sample-shards';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskShardStore } from '../src/index.ts';

const ROUNDS = 20;
const owner = samplePeerId('owner');
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-kill-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** What a process said before it was killed at a random moment of its work. */
async function runAndKill(first: number, milliseconds: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'crash-child.ts'), directory, String(first)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', (piece: Buffer) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), milliseconds);
    output += piece;
  });
  await once(child, 'close');
  expect(child.signalCode).toBe('SIGKILL');
  return output.split('\n').slice(1, -1);
}

describe('DiskShardStore', () => {
  it(`loses nothing acknowledged when its process is killed, ${ROUNDS} times`, {
    timeout: 120_000,
  }, async () => {
    const expected = new Set<number>();
    const unsure = new Set<number>();
    let newestHead = -1;
    for (let round = 0; round < ROUNDS; round++) {
      const first = round * 100_000 + 1;
      for (const line of await runAndKill(first, Math.random() * 120)) {
        const label = Math.abs(Number(line));
        expected[line.startsWith('-') ? 'delete' : 'add'](label);
        // The delete after the acknowledgement may or may not have happened.
        if (label % 7 === 3) unsure.add(label);
      }
      const store = await DiskShardStore.open({
        directory,
        capacityBytes: 2 ** 40,
        ownerQuotaBytes: 2 ** 40,
      });
      expect(await readdir(join(directory, 'incoming'))).toEqual([]);
      const listed = await store.list(owner, { limit: 1_000_000 });
      const here = new Set(listed.map((shard) => shard.id));
      for (const label of expected) {
        if (!unsure.has(label)) expect(here.has(sampleShardId(label))).toBe(true);
      }
      const usage = await store.usage(owner);
      expect(usage.ownerShards).toBe(listed.length);
      expect(usage.usedBytes).toBe(listed.reduce((sum, shard) => sum + shard.bytes, 0));
      // Whatever is visible is whole: a read of all of it checks the hash.
      for (const { id } of listed) await store.get(owner, id);
      const head = await store.getHead(owner);
      expect(head?.sequence ?? -1).toBeGreaterThanOrEqual(newestHead);
      newestHead = head?.sequence ?? -1;
      for (const { id } of listed.slice(20)) await store.delete(owner, id);
      for (const label of [...expected])
        if (!(await store.has(owner, [sampleShardId(label)]))[0]) expected.delete(label);
      await store.close();
    }
    expect(newestHead).toBeGreaterThan(0);
  });
});
