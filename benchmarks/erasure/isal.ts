import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installPackages } from '../harness/debian.ts';
import { PeerProcess } from './peer-process.ts';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('isal.c', import.meta.url));

/** ISA-L by its SSE path and by its best, compiled into `directory`; none, and why, where it cannot be had. */
export async function isalCoders(directory: string, tell: (line: string) => void): Promise<PeerProcess[]> {
  const program = join(directory, 'isal');
  const compile = () => run('cc', ['-O2', '-std=gnu11', '-o', program, SOURCE, '-lisal']);
  if (process.arch !== 'x64') {
    tell('ISA-L: only measured on x64. Its ratios are left out.');
    return [];
  }
  try {
    await compile().catch(async () => {
      await installPackages(['gcc', 'libc6-dev', 'libisal-dev'], tell);
      await compile();
    });
  } catch (error) {
    tell(`ISA-L: a C compiler and libisal-dev are needed. Its ratios are left out.\n${reason(error)}`);
    return [];
  }
  const start = (path: string) => PeerProcess.start(`isal-${path}`, program, [path]);
  return [await start('sse'), await start('best')];
}

const reason = (error: unknown): string => (error as Error).message.trim().split('\n').slice(0, 3).join('\n');
