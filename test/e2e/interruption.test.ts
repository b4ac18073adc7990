import { randomBytes } from 'node:crypto';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Running } from './support/command.ts';
import { Lab } from './support/lab.ts';
import { damagedFiles, type StoredFile, storedFiles } from './support/peer-disks.ts';
import { checkSeparation } from './support/separation.ts';
import { treeDigest } from './support/tree-digest.ts';
import { until } from './support/until.ts';

let lab: Lab;
let tree: string;

beforeAll(async () => {
  lab = await Lab.up({ peers: 7, k: 3, m: 2, operators: 7 });
  tree = lab.path('tree');
  await mkdir(tree);
  await lab.must(['source', 'add', 'docs', 'tree', tree]);
  await lab.must(['source', 'add', 'dump', 'stdin']);
});

afterAll(() => lab?.down());

/** Enough for many partitions. */
const freshContent = (): Promise<void> => writeFile(join(tree, 'content'), randomBytes(32_000_000));

/** A backup under way, of which the peers have got some more shards but not all. */
async function backupUnderWay(): Promise<Running> {
  const before = (await storedFiles(lab.peers())).length;
  const running = lab.start(['backup', 'docs']);
  await until(async () => (await storedFiles(lab.peers())).length >= before + 8);
  return running;
}

/** The lease is the file's time: sending a shard again would prolong it. */
async function leases(files: readonly StoredFile[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const { path } of files) found.set(path, (await stat(path)).mtimeMs);
  return found;
}

async function expectResumed(): Promise<void> {
  const before = await storedFiles(lab.peers());
  expect(await damagedFiles(before)).toEqual([]);
  const leasesBefore = await leases(before);
  const report = await lab.backUp('docs');
  const after = await storedFiles(lab.peers());
  expect(after.length).toBe(before.length + report.shardsSent);
  expect(await leases(before)).toEqual(leasesBefore);
  expect(report.snapshot.totals.bytes).toBe(32_000_000);
  const target = lab.path(`restored ${report.snapshot.sequence}`);
  await lab.must(['restore', report.snapshot.id, '--to', target]);
  expect(await treeDigest(target)).toBe(await treeDigest(tree));
  expect((await checkSeparation(lab, after)).violations).toEqual([]);
}

const snapshots = async (): Promise<number> =>
  ((await lab.must(['snapshots'])).json as unknown as readonly object[]).length;

describe('a backup that is stopped', () => {
  it('by Ctrl-C ends cleanly with 130, and the next run sends nothing twice', async () => {
    await freshContent();
    const count = await snapshots();
    const running = await backupUnderWay();
    running.child.kill('SIGINT');
    const ended = await running.ended;
    expect([ended.code, ended.signal, ended.json.error.code]).toEqual([130, null, 'CANCELLED']);
    expect(await snapshots()).toBe(count);
    await expectResumed();
  });

  it('by kill -9 does as well', async () => {
    await freshContent();
    const count = await snapshots();
    const running = await backupUnderWay();
    running.child.kill('SIGKILL');
    expect((await running.ended).signal).toBe('SIGKILL');
    expect(await snapshots()).toBe(count);
    await expectResumed();
  });

  it('goes on around peers that die meanwhile', async () => {
    await freshContent();
    const running = await backupUnderWay();
    await lab.kill(2, 5);
    const ended = await running.ended;
    expect(ended.stderr).toMatch(/peer-[25]/);
    expect([ended.code, ended.json.backups?.[0]?.ok]).toEqual([0, true]);
    const target = lab.path('restored without two');
    await lab.must(['restore', ended.json.backups[0]!.snapshot.id, '--to', target]);
    expect(await treeDigest(target)).toBe(await treeDigest(tree));
    await lab.startPeers(2, 5);
    const files = await storedFiles(lab.peers());
    expect((await checkSeparation(lab, files)).violations).toEqual([]);
    expect(await damagedFiles(files)).toEqual([]);
  });
});

describe('a restore that is stopped', () => {
  it('leaves nothing at its target', async () => {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const target = lab.path(`stopped by ${signal}`);
      const running = lab.start(['restore', 'latest', '--source', 'docs', '--to', target]);
      const partial = (): Promise<boolean> => anyPartial(lab.directory);
      await until(async () => (await partial()) || running.child.exitCode !== null);
      running.child.kill(signal);
      const ended = await running.ended;
      expect(ended.code ?? ended.signal).toBe(signal === 'SIGINT' ? 130 : 'SIGKILL');
      await expect(stat(target)).rejects.toThrow('ENOENT');
      if (signal === 'SIGINT') expect(await partial()).toBe(false);
    }
  });
});

describe('two backups at once', () => {
  it('the second says that the vault is busy, and the first is not disturbed', async () => {
    const first = lab.start(['backup', 'dump'], { input: 'open' });
    // More than a pipe holds: it is through only when the first reads, and then it has the vault.
    await new Promise((resolve) => first.child.stdin.write(randomBytes(2_000_000), resolve));
    const second = await lab.run(['backup', 'docs']);
    expect([second.code, second.json.error.code]).toEqual([7, 'BUSY']);
    expect(second.json.error.hint).toBeTruthy();
    // Looking is allowed meanwhile.
    await lab.must(['status']);
    first.child.stdin.end(randomBytes(100_000));
    const ended = await first.ended;
    expect([ended.code, ended.json.backups[0]!.snapshot.totals.bytes]).toEqual([0, 2_100_000]);
  });
});

async function anyPartial(directory: string): Promise<boolean> {
  return (await readdir(directory)).some((name) => name.includes('.holdfast-partial'));
}
