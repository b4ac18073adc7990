import { execFile } from 'node:child_process';
import { closeSync, constants, fsync, openSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const syncAsync = promisify(fsync);

/** Files synced at once: enough for the file system to commit many in one go. */
const PARALLEL = 64;
const SLASH = Buffer.from('/');

/**
 * Makes a whole tree durable. `sync -f` is one syncfs(2) for all, which Node cannot call by itself; where there is no such
 * command, every file and directory is synced, which takes far longer with many files.
 */
export async function syncTree(directory: string): Promise<void> {
  try {
    await run('sync', ['-f', '--', directory]);
  } catch {
    await syncEach(Buffer.from(directory));
  }
}

async function syncEach(directory: Buffer): Promise<void> {
  const entries = readdirSync(directory, { encoding: 'buffer', withFileTypes: true });
  const at = (name: Buffer): Buffer => Buffer.concat([directory, SLASH, name]);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => at(entry.name));
  for (let i = 0; i < files.length; i += PARALLEL)
    await Promise.all(files.slice(i, i + PARALLEL).map(syncOne));
  for (const entry of entries) if (entry.isDirectory()) await syncEach(at(entry.name));
  await syncOne(directory);
}

async function syncOne(location: Buffer): Promise<void> {
  const descriptor = openSync(location, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await syncAsync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
