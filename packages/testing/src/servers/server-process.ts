import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Who a database server runs as: this user, or as root the first of the accounts that there is. Servers refuse to run as root. */
export async function serverAccount(...names: readonly string[]): Promise<{ uid: number; gid: number }> {
  if (process.getuid!() !== 0) return { uid: process.getuid!(), gid: process.getgid!() };
  for (const name of names) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such account.
    }
  }
  throw new Error(`There is no account to run the server under: ${names.join(', ')}.`);
}

/** Of the loopback interface. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
