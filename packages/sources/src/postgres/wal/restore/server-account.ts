import { execFileSync } from 'node:child_process';
import type { Owner } from './base-entries.ts';

/** The account that servers run under on this machine; null where there is none called `postgres`. */
export function serverAccount(): Owner | null {
  try {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'] })),
    );
    return { uid: uid!, gid: gid! };
  } catch {
    return null;
  }
}
