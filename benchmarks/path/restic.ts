import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPackages } from '../harness/debian.ts';
import { directorySize } from '../harness/directory-size.ts';
import { measure } from '../harness/measured-process.ts';
import type { BenchSource, Contender, OperationCost } from './contender.ts';

const run = promisify(execFile);
const NO_SERVERS = { serverCpuSeconds: 0, serverPeakRssBytes: 0 };

/** restic's version, after installing Debian's package if that is missing and we may; null when it cannot be had. */
export async function findRestic(tell: (line: string) => void): Promise<string | null> {
  const version = async (): Promise<string | null> => {
    try {
      return (await run('restic', ['version'])).stdout.split(' ')[1] ?? null;
    } catch {
      return null;
    }
  };
  const present = await version();
  if (present !== null) return present;
  await installPackages(['restic'], tell);
  return version();
}

/** With a local repository on the same disk, its default compression, and a cache of its own. */
export async function resticContender(source: BenchSource, directory: string): Promise<Contender> {
  await mkdir(directory, { recursive: true });
  const repository = join(directory, 'repository');
  const env = {
    ...process.env,
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: 'benchmark',
    RESTIC_CACHE_DIR: join(directory, 'cache'),
  };
  await run('restic', ['init', '--quiet'], { env });
  const measured = async (...args: string[]): Promise<OperationCost> => ({
    ...(await measure('restic', [...args, '--quiet'], { env })),
    ...NO_SERVERS,
  });
  return {
    name: 'restic',
    backup: () => measured('backup', source.path),
    restore: async (to) => ({
      cost: await measured('restore', 'latest', '--target', to),
      // restic recreates the whole path below the target.
      restored: join(to, source.path),
    }),
    storedBytes: () => directorySize(repository),
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
