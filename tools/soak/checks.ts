import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { bytesToUuid, type SnapshotId } from '@holdfast/contracts';
import { sinkFor } from '@holdfast/sources';
import { openVault } from '../../apps/cli/src/vault/open.ts';
import type { Lab } from '../../test/e2e/support/lab.ts';
import { damagedFiles, storedFiles } from '../../test/e2e/support/peer-disks.ts';
import { checkSeparation } from '../../test/e2e/support/separation.ts';
import type { SoakSource } from './soak-source.ts';

/** A snapshot that must restore to this digest for ever. */
export interface Expected {
  readonly id: string;
  readonly source: SoakSource;
  readonly digest: string;
  /** False: its run was killed after the snapshot was committed and before it could say so. */
  readonly acknowledged: boolean;
}

/** Restores every one of them; a line for each that fails or differs. */
export async function checkSnapshots(lab: Lab, expected: readonly Expected[]): Promise<string[]> {
  await using vault = await openVault(lab.vault);
  const violations: string[] = [];
  // In a directory of its own: looking into a database leaves files beside it.
  const directory = lab.path('checked');
  const target = join(directory, 'copy');
  for (const { id, source, digest } of expected) {
    await mkdir(directory);
    try {
      await vault.engine.restore({
        snapshot: id as SnapshotId,
        sink: sinkFor(source.kind, { path: target, overwrite: false }),
      });
      if ((await source.digest(target)) !== digest)
        violations.push(`Snapshot ${id} of ${source.name} restores to something else.`);
    } catch (error) {
      violations.push(`Snapshot ${id} of ${source.name} does not restore: ${error}`);
    }
    await rm(directory, { recursive: true, force: true });
  }
  return violations;
}

/** Looks at the peers' disks: rules of separation, whole shards only, nothing unknown. */
export async function checkDisks(
  lab: Lab,
  known: Set<string>,
): Promise<{ shards: number; violations: string[] }> {
  const files = await storedFiles(lab.peers());
  const { violations } = await checkSeparation(lab, files);
  const damaged = await damagedFiles(files, known);
  return {
    shards: files.length,
    violations: [
      ...violations,
      ...damaged.map(({ peer, path }) => `Peer ${peer} has a shard that is not whole: ${path}`),
    ],
  };
}

/** What peers that have started since their last crash still keep of unfinished uploads; they must have tidied up. */
export async function leftovers(lab: Lab): Promise<string[]> {
  const found: string[] = [];
  for (const { number, directory } of lab.peers()) {
    for (const name of await readdir(join(directory, 'data', 'incoming')))
      found.push(`Peer ${number} still keeps incoming/${name}.`);
  }
  return found;
}

/** All that the catalog lists, acknowledged or not. */
export function listedSnapshots(lab: Lab): { id: string; source: string }[] {
  const database = new DatabaseSync(join(lab.vault, 'catalog.sqlite'), { readOnly: true });
  try {
    const rows = database.prepare('SELECT id, source FROM snapshot ORDER BY sequence').all();
    return rows.map((row) => ({ id: bytesToUuid(row.id as Uint8Array), source: String(row.source) }));
  } finally {
    database.close();
  }
}
