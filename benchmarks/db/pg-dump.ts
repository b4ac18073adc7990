import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { measure } from '../harness/measured-process.ts';
import type { ChatDatabase } from './chat-database.ts';
import type { Contender, OperationCost } from './contender.ts';
import { serverCpuSeconds } from './server-cpu.ts';

/** `pg_dump -Fc` to a file, and back by two jobs: what people do without a backup program. */
export async function pgDumpContender(chat: ChatDatabase, directory: string): Promise<Contender> {
  await mkdir(directory, { recursive: true });
  const dump = join(directory, 'chat.dump');
  let stored = 0;
  return {
    name: 'pg_dump',
    backup: async () => {
      const cost = await measuredShell(chat, `pg_dump -Fc -f '${dump}' ${chat.name}`);
      stored += (await stat(dump)).size;
      return cost;
    },
    restore: (database) =>
      measuredShell(chat, `createdb ${database} && pg_restore -j2 --exit-on-error -d ${database} '${dump}'`),
    storedBytes: async () => stored,
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Runs a command line with PostgreSQL's programs at hand; what its processes cost together, and the server meanwhile. */
export async function measuredShell(
  { server }: ChatDatabase,
  command: string,
  env: NodeJS.ProcessEnv = {},
): Promise<OperationCost> {
  const before = serverCpuSeconds(server);
  const cost = await measure('bash', ['-o', 'pipefail', '-c', command], {
    env: { ...server.environment(), PATH: `${server.programs}:${process.env.PATH}`, ...env },
  });
  return { ...cost, serverCpuSeconds: serverCpuSeconds(server) - before, peersCpuSeconds: 0 };
}
