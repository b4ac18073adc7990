import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';

/** Replaces the file as a whole, or leaves it as it was; readable by its user only, durable when resolved. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  try {
    await using file = await open(temporary, 'w', 0o600);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw unwritable(path, error);
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Makes the new name itself survive a loss of power. Windows cannot open directories, and does not need it. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using directory = await open(path, 'r');
  await directory.sync();
}

function unwritable(path: string, cause: unknown): HoldfastError {
  const full =
    cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
  return new HoldfastError(full ? 'DISK_FULL' : 'TARGET_UNWRITABLE', `${path} cannot be written.`, {
    cause,
    hint: full ? 'Make room on the disk.' : 'Check the permissions of its directory.',
  });
}
