import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockVault } from '@holdfast/catalog';
import { HoldfastError } from '@holdfast/contracts';

const PREFIX = 'holdfast-drill-';

export interface ScratchDirectory {
  readonly path: string;
  /** With all that is in it. */
  remove(): Promise<void>;
}

/** Below TMPDIR, for this user alone. Also removes those of drills that were killed: the lock in a directory dies with its process. */
export async function scratchDirectory(): Promise<ScratchDirectory> {
  await removeDead();
  try {
    const path = await mkdtemp(join(tmpdir(), PREFIX));
    const lock = lockVault(path);
    const remove = async (): Promise<void> => {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      lock.release();
    };
    return { path, remove };
  } catch (error) {
    throw HoldfastError.from(
      error,
      'TARGET_UNWRITABLE',
      `Cannot make a directory for the drill in ${tmpdir()}`,
    );
  }
}

async function removeDead(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(PREFIX))) {
    const path = join(tmpdir(), name);
    try {
      const lock = lockVault(path, 0);
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      lock.release();
    } catch {
      // Alive, or another user's.
    }
  }
}
