import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

// biome-ignore lint/suspicious/noTemplateCurlyInString: the package manager's own syntax
const STATUS_FIELD = '${db:Status-Status}';

/** Of another test file's installation, which holds the package manager's lock. */
const LOCK_WAIT_SECONDS = 300;

/**
 * Sees to it that a Debian package is there, installing it where this process may. Null when it is; else why not, in
 * words for whoever reads that tests were skipped.
 */
export async function needsPackage(name: string): Promise<string | null> {
  if (await isInstalled(name)) return null;
  if (process.getuid?.() !== 0)
    return `${name} is not installed, and only root could: apt-get install ${name}`;
  const apt = ['-o', `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`, '-q', '-y'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', [...apt, 'update'], { env });
    await run('apt-get', [...apt, 'install', '--no-install-recommends', name], { env, maxBuffer: 1 << 26 });
    return null;
  } catch (error) {
    // Another test file may have been faster.
    if (await isInstalled(name)) return null;
    return `apt-get could not install ${name}: ${(error as Error).message.split('\n')[0]}`;
  }
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    const { stdout } = await run('dpkg-query', ['-W', '-f', STATUS_FIELD, name]);
    return stdout.trim() === 'installed';
  } catch {
    return false;
  }
}
