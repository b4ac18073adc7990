import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of all regular files below a directory that `counts` accepts, as their lengths say. */
export async function directorySize(
  directory: string,
  counts: (name: string) => boolean = () => true,
): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && counts(entry.name)) sum += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return sum;
}
