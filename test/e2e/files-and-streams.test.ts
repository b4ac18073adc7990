import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mustRun, runCommand } from './support/command.ts';
import { Lab } from './support/lab.ts';
import { treeDigest } from './support/tree-digest.ts';

let lab: Lab;
let tree: string;

beforeAll(async () => {
  lab = await Lab.up({ peers: 4, k: 2, m: 1, operators: 4 });
  tree = lab.path('tree');
  await makeTree(tree);
  await lab.must(['source', 'add', 'docs', 'tree', tree, '--exclude', '*.tmp']);
  await lab.must(['source', 'add', 'dump', 'stdin']);
});

afterAll(() => lab?.down());

async function makeTree(root: string): Promise<void> {
  await mkdir(join(root, 'deep/er/empty'), { recursive: true });
  await writeFile(join(root, 'large'), randomBytes(3_000_000));
  await writeFile(join(root, 'empty'), '');
  await writeFile(join(root, 'deep/text'), 'Holdfast '.repeat(50_000));
  for (let i = 0; i < 200; i++) await writeFile(join(root, `deep/er/small ${i}`), randomBytes(i * 13));
  await writeFile(join(root, 'naïve – 日本\n"quoted" \\ name'), 'odd');
  await writeFile(join(root, 'script'), '#!/bin/sh\n');
  await chmod(join(root, 'script'), 0o4750);
  await symlink('deep/text', join(root, 'link'));
  await symlink('/nowhere/at all', join(root, 'dangling'));
  await link(join(root, 'large'), join(root, 'deep/same as large'));
  const sparse = await open(join(root, 'sparse'), 'w');
  await sparse.write(Buffer.from('start'), 0, 5, 0);
  await sparse.write(Buffer.from('end'), 0, 3, 20_000_000);
  await sparse.close();
  await utimes(join(root, 'deep'), 1_000_000_000, 1_234_567_890);
}

describe('a file tree', () => {
  it('comes back with modes, times, links, holes and odd names', async () => {
    const { snapshot, problems } = await lab.backUp('docs');
    expect(problems).toEqual([]);
    expect(snapshot.complete).toBe(true);
    const target = lab.path('restored');
    await lab.must(['restore', snapshot.id, '--to', target]);
    expect(await treeDigest(target)).toBe(await treeDigest(tree));
    const [one, other] = [await stat(join(target, 'large')), await stat(join(target, 'deep/same as large'))];
    expect(one.ino).toBe(other.ino);
    expect((await stat(join(target, 'sparse'))).blocks * 512).toBeLessThan(1_000_000);
  });

  it('is not read again where it did not change, and leaves out what is excluded', async () => {
    // The first backup may have come too soon after the files were written to be sure of them.
    await lab.backUp('docs');
    await writeFile(join(tree, 'scratch.tmp'), 'not this');
    await writeFile(join(tree, 'deep/new'), 'new');
    const { snapshot, readBytes } = await lab.backUp('docs');
    expect(readBytes).toBeLessThan(snapshot.totals.bytes / 4);
    const target = lab.path('restored again');
    await lab.must(['restore', 'latest', '--source', 'docs', '--to', target]);
    await rm(join(tree, 'scratch.tmp'));
    await utimes(tree, 2_000, 2_000);
    await utimes(target, 2_000, 2_000);
    expect(await treeDigest(target)).toBe(await treeDigest(tree));
  });

  it('does not overwrite what is there', async () => {
    const target = lab.path('occupied');
    await mkdir(target);
    await writeFile(join(target, 'mine'), 'precious');
    const refused = await lab.run(['restore', 'latest', '--source', 'docs', '--to', target]);
    expect([refused.code, refused.json.error.code]).toEqual([2, 'ALREADY_EXISTS']);
    expect((await stat(join(target, 'mine'))).size).toBe(8);
  });
});

describe('a stream', () => {
  it('goes through pipes both ways', async () => {
    const dump = Buffer.concat([
      Buffer.from('INSERT INTO t VALUES (1);\n'.repeat(100_000)),
      randomBytes(1_000_001),
    ]);
    const { snapshot } = await lab.backUp('dump', { input: dump });
    expect(snapshot.totals.bytes).toBe(dump.length);
    const piped = await mustRun(['restore', 'latest', '--source', 'dump', '--to', '-'], { vault: lab.vault });
    expect(Buffer.compare(piped.stdout, dump)).toBe(0);
    expect(piped.stderr).toContain('Restored');
  });

  it('may be empty', async () => {
    const { snapshot } = await lab.backUp('dump', { input: new Uint8Array(0) });
    const piped = await mustRun(['restore', snapshot.id, '--to', '-'], { vault: lab.vault });
    expect(piped.stdout.length).toBe(0);
  });

  it('cannot share standard output with JSON', async () => {
    const refused = await runCommand(['restore', 'latest', '--source', 'dump', '--to', '-', '--json'], {
      vault: lab.vault,
    });
    expect([refused.code, refused.json.error.code]).toEqual([2, 'USAGE']);
  });
});
