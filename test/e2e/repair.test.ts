import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';
import { storedFiles } from './support/peer-disks.ts';
import { checkSeparation } from './support/separation.ts';
import { treeDigest } from './support/tree-digest.ts';

let lab: Lab;
let tree: string;

beforeAll(async () => {
  const regions = ['eu/de/berlin', 'eu/de/bonn'];
  lab = await Lab.up({ peers: 6, k: 4, m: 2, operators: 6, helpers: 5, regions });
  tree = lab.path('tree');
  await mkdir(tree);
  await writeFile(join(tree, 'content'), randomBytes(9_000_000));
  await lab.must(['source', 'add', 'docs', 'tree', tree]);
  await lab.backUp('docs');
});

afterAll(() => lab?.down());

const snapshots = async (): Promise<readonly { id: string; helpers: number }[]> =>
  (await lab.must(['snapshots'])).json as unknown as readonly { id: string; helpers: number }[];

describe('a Clay code', () => {
  it('restores without any m peers', async () => {
    expect((await snapshots())[0]).toMatchObject({ k: 4, m: 2, helpers: 5 });
    await lab.kill(1, 4);
    const target = lab.path('restored');
    await lab.must(['restore', 'latest', '--to', target]);
    expect(await treeDigest(target)).toBe(await treeDigest(tree));
    await lab.startPeers(1, 4);
  });

  it('makes the shards of a peer that lost its disk again, from parts of the others', async () => {
    const before = await storedFiles(lab.peers());
    await lab.kill(3);
    const lost = before.filter(({ peer }) => peer === 3);
    expect(lost.length).toBeGreaterThan(2);
    for (const { path } of lost) await rm(path);
    await lab.startPeers(3);

    const repaired = await lab.must(['repair']);
    expect(repaired.json).toMatchObject({
      repairedShards: lost.length,
      repairedFromParts: lost.length,
      unreachableShards: 0,
      failed: [],
      lost: [],
    });
    // 5 halves for each shard, where plain Reed–Solomon takes 4 whole ones.
    expect(repaired.json.fetchedBytes).toBe(2.5 * repaired.json.repairedBytes);
    const names = (files: typeof before) => files.map(({ path }) => path).sort();
    expect(names(await storedFiles(lab.peers()))).toEqual(names(before));
    expect((await lab.must(['verify'])).json).toMatchObject({ healthy: true });
    expect((await checkSeparation(lab, await storedFiles(lab.peers()))).violations).toEqual([]);
  });

  it('finds what has rotted when it reads', async () => {
    const flipped = await lab.corrupt(2, 3);
    expect((await lab.run(['verify'])).code).toBe(4);
    expect((await lab.must(['repair', '--read'])).json.repairedShards).toBe(flipped.length);
    await lab.must(['verify']);
  });

  it('says that it could not repair what is with silent peers', async () => {
    await lab.kill(5);
    const repaired = await lab.run(['repair']);
    expect([repaired.code, repaired.json.error.code]).toEqual([5, 'PEER_UNREACHABLE']);
    expect(repaired.json.unreachableShards).toBeGreaterThan(0);
    await lab.startPeers(5);
  });

  it('lives beside plain Reed–Solomon after the policy changed', async () => {
    const path = join(lab.vault, 'holdfast.yaml');
    const config = await readFile(path, 'utf8');
    await writeFile(path, config.replace('helpers: 5', 'helpers: 0'));
    const first = (await snapshots())[0]!.id;
    const firstDigest = await treeDigest(tree);
    await writeFile(join(tree, 'more'), randomBytes(5_000_000));
    const { snapshot } = await lab.backUp('docs');
    expect(snapshot).toMatchObject({ helpers: 0 });
    await lab.kill(2, 6);
    const expected: [string, string][] = [
      [first, firstDigest],
      [snapshot.id, await treeDigest(tree)],
    ];
    for (const [id, digest] of expected) {
      const target = lab.path(`restored-${id}`);
      await lab.must(['restore', id, '--to', target]);
      expect(await treeDigest(target)).toBe(digest);
    }
  });
});

describe('a swarm in one region', () => {
  it('has placements that say so, and that keep every other rule', async () => {
    await lab.kill(2);
    const status = await lab.run(['status']);
    const { placement, warnings } = status.json as unknown as {
      placement: { recorded: number; unrecorded: number; relaxed: Record<string, number> };
      warnings: string[];
    };
    const { recorded } = placement;
    expect(recorded).toBeGreaterThan(2);
    expect(placement).toMatchObject({ unrecorded: 0, relaxed: { region: recorded, continent: recorded } });
    expect(warnings).toContainEqual(expect.stringContaining('relaxed rules: continent'));
    await lab.startPeers(2);
    const checked = await lab.must(['placement', 'check']);
    expect(checked.json).toMatchObject({
      placements: recorded,
      unrecorded: 0,
      relaxed: recorded,
      broken: [],
    });
    const peers = (await lab.must(['peers'])).json as unknown as {
      name: string;
      uptime: { asked: number; answered: number };
    }[];
    for (const { name, uptime } of peers) {
      expect(uptime.asked).toBeGreaterThan(1);
      if (name === 'peer-2') expect(uptime.answered).toBeLessThan(uptime.asked);
    }
  });
});
