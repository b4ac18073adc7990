import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Restored times may be a quarter of a microsecond off (sources/tree/metadata.ts). Cut to milliseconds, one in ten thousand
 * would differ: too many for a digest that is taken of thousands of files.
 */
const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/** A digest of all that a tree is: names, kinds, modes, times to the second, link targets and contents. */
export async function treeDigest(root: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(root, { recursive: true });
  for (const name of entries.sort()) {
    const path = join(root, name);
    const { mode, mtimeMs, size } = await lstat(path);
    const kind = mode & 0o170000;
    hash.update(`${JSON.stringify(name)} ${mode.toString(8)} `);
    if (kind === 0o120000) hash.update(`-> ${await readlink(path)}\n`);
    else if (kind === 0o100000) hash.update(`${seconds(mtimeMs)} ${size}\n`).update(await readFile(path));
    else hash.update(`${seconds(mtimeMs)}\n`);
  }
  return hash.digest('hex');
}
