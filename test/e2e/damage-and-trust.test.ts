import { randomBytes } from 'node:crypto';
import { appendFile, copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mustRun, runCommand } from './support/command.ts';
import { Lab } from './support/lab.ts';
import { damagedFiles, storedFiles } from './support/peer-disks.ts';
import { checkSeparation } from './support/separation.ts';
import { treeDigest } from './support/tree-digest.ts';

let lab: Lab;
let tree: string;

beforeAll(async () => {
  lab = await Lab.up({ peers: 5, k: 3, m: 2, operators: 5 });
  tree = lab.path('tree');
  await mkdir(tree);
  await writeFile(join(tree, 'content'), randomBytes(8_000_000));
  await lab.must(['source', 'add', 'docs', 'tree', tree]);
  await lab.backUp('docs');
});

afterAll(() => lab?.down());

describe('shards that rot on a disk', () => {
  it('do not reach a restored file, and verify names their peer', async () => {
    const whole = await lab.must(['verify']);
    expect(whole.json).toMatchObject({ healthy: true, damaged: [], faults: [] });

    const files = (await storedFiles(lab.peers())).filter(({ peer }) => peer === 2);
    const flipped = await lab.corrupt(2, files.length);
    expect(await damagedFiles(files)).toHaveLength(flipped.length);

    const target = lab.path('restored');
    const restored = await lab.must(['restore', 'latest', '--to', target]);
    expect(await treeDigest(target)).toBe(await treeDigest(tree));
    for (const { name } of restored.json.faults) expect(name).toBe('peer-2');

    const verified = await lab.run(['verify']);
    expect([verified.code, verified.json.error.code]).toEqual([4, 'VERIFY_FAILED']);
    expect(verified.json).toMatchObject({ restorable: true, healthy: false, lost: [] });
    expect(verified.json.faults).toEqual([
      expect.objectContaining({ name: 'peer-2', missing: 0, unreachable: 0 }),
    ]);
    const bad = verified.json.damaged.flatMap((partition) => partition.bad);
    expect(bad).toHaveLength(flipped.length);
    expect(new Set(bad.map(({ problem }) => problem))).toEqual(new Set(['wrong-bytes']));
    const people = await runCommand(['verify'], { vault: lab.vault });
    expect(people.code).toBe(4);
    expect(people.stdout.toString()).toContain('peer-2');
  });

  it('are told apart from peers that are merely away', async () => {
    const fresh = lab.path('fresh');
    await mkdir(fresh);
    await writeFile(join(fresh, 'content'), randomBytes(100_000));
    await lab.must(['source', 'add', 'fresh', 'tree', fresh]);
    const { snapshot } = await lab.backUp('fresh');
    await lab.kill(5);
    const verified = await lab.run(['verify', snapshot.id]);
    expect([verified.code, verified.json.error.code]).toEqual([5, 'PEER_UNREACHABLE']);
    expect(verified.json).toMatchObject({ restorable: true, healthy: false });
    await lab.startPeers(5);
    await lab.must(['verify', snapshot.id]);
  });

  it('leaves the separation as it was', async () => {
    expect((await checkSeparation(lab, await storedFiles(lab.peers()))).violations).toEqual([]);
  });
});

describe('strangers', () => {
  it('of another swarm are refused by every peer', async () => {
    const other = lab.path('other');
    await mustRun(['init', '--vault', other, '--k', '3', '--m', '2', '--json']);
    const intruder = lab.path('intruder');
    await cp(lab.vault, intruder, { recursive: true });
    for (const name of ['owner.pem', 'owner.crt', 'authority.pem', 'authority.crt'])
      await copyFile(join(other, 'keys', name), join(intruder, 'keys', name));
    const refused = await runCommand(['backup', 'docs', '--reread', '--json'], { vault: intruder });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/peer-1 was not issued by this swarm/);
    const restored = await runCommand(
      ['restore', 'latest', '--source', 'docs', '--to', lab.path('stolen'), '--json'],
      {
        vault: intruder,
      },
    );
    expect([restored.code, restored.json.error.code]).toEqual([5, 'TOO_FEW_SHARDS']);
  });

  it('who made themselves a certificate are refused even if they trust the right authority', async () => {
    const other = lab.path('forger');
    await mustRun(['init', '--vault', other, '--k', '3', '--m', '2', '--json']);
    const intruder = lab.path('forging');
    await cp(lab.vault, intruder, { recursive: true });
    for (const name of ['owner.pem', 'owner.crt'])
      await copyFile(join(other, 'keys', name), join(intruder, 'keys', name));
    // Without the authority's key no fitting certificate can be made on the way.
    await writeFile(
      join(intruder, 'keys', 'authority.pem'),
      await readFile(join(other, 'keys', 'authority.pem')),
    );
    const refused = await runCommand(['verify', '--json'], { vault: intruder });
    expect([refused.code, refused.json.error.code]).toEqual([5, 'TOO_FEW_SHARDS']);
    expect(refused.stderr).toMatch(/peer-1 refused the connection/);
    expect(await lab.log(1)).toContain('PEER_UNTRUSTED');
  });
});

describe('the vault', () => {
  it('stays shut without its passphrase', async () => {
    const vault = lab.path('locked');
    const withPassphrase = (passphrase: string) => ({
      vault,
      environment: { HOLDFAST_PASSPHRASE: passphrase },
    });
    await mustRun(['init', '--json'], withPassphrase('correct horse'));
    await mustRun(['source', 'add', 'docs', 'tree', tree, '--json'], { vault });
    for (const options of [withPassphrase('wrong horse'), { vault }]) {
      const refused = await runCommand(['backup', '--json'], options);
      expect(refused.code).toBe(9);
      expect(refused.json.error.code).toMatch(/^KEY_/);
      expect(refused.stdout.toString() + refused.stderr).not.toContain('horse');
    }
    const opened = await runCommand(['backup', '--json'], withPassphrase('correct horse'));
    expect(opened.json.error.code).toBe('PLACEMENT_REFUSED');
    expect(opened.code).toBe(6);
  });

  it('refuses a misspelt setting and suggests the right one', async () => {
    const vault = lab.path('misspelt');
    await mustRun(['init', '--vault', vault, '--json']);
    await appendFile(join(vault, 'holdfast.yaml'), '\nperfomance:\n  workers: 1\n');
    const refused = await runCommand(['status', '--json'], { vault });
    expect([refused.code, refused.json.error.code]).toEqual([2, 'CONFIG_INVALID']);
    expect(`${refused.json.error.message} ${refused.json.error.hint}`).toContain('performance');
  });
});
