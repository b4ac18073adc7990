import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A digest of all that a tree is: names, kinds, modes, times, link targets and contents. */
export async function treeDigest(root: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(root, { recursive: true });
  for (const name of entries.sort()) {
    const path = join(root, name);
    const { mode, mtimeMs, size } = await lstat(path);
    const kind = mode & 0o170000;
    hash.update(`${JSON.stringify(name)} ${mode.toString(8)} `);
    if (kind === 0o120000) hash.update(`-> ${await readlink(path)}\n`);
    else if (kind === 0o100000) hash.update(`${Math.floor(mtimeMs)} ${size}\n`).update(await readFile(path));
    else hash.update(`${Math.floor(mtimeMs)}\n`);
  }
  return hash.digest('hex');
}
