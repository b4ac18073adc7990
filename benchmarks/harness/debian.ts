import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Installs Debian packages if we may, and says so; whether they are there now is for the caller to see. */
export async function installPackages(names: readonly string[], tell: (line: string) => void): Promise<void> {
  if (process.getuid?.() !== 0) return;
  tell(`${names.join(', ')} missing: installing with apt-get …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env });
  } catch (error) {
    tell(`apt-get failed: ${(error as Error).message.split('\n')[0]}`);
  }
}
