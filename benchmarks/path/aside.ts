import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';

let count = 0;

/**
 * Moves what is no longer needed out of the way; it goes when the benchmark's directory does. Removing thousands of files
 * between two measurements would slow down whoever comes next: ext4 without a journal does not use an inode again for
 * half a minute, and looks for another at each file that is made.
 */
export async function putAside(path: string, directory: string): Promise<void> {
  const aside = join(directory, 'aside');
  await mkdir(aside, { recursive: true });
  await rename(path, join(aside, `${count++}`)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
