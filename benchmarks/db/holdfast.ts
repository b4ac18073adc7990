import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { HoldfastLab } from '../path/holdfast.ts';
import type { ChatDatabase } from './chat-database.ts';
import type { Contender, OperationCost } from './contender.ts';
import { serverCpuSeconds } from './server-cpu.ts';

const RUN = fileURLToPath(new URL('./holdfast-run.ts', import.meta.url));
/** As the first line of the command has it. */
const FLAGS = ['--max-semi-space-size=4'];

/** Through a swarm of loopback peers, which take their part of the same cores. `profiles`: where CPU profiles go. */
export async function holdfastContender(
  chat: ChatDatabase,
  directory: string,
  profiles?: string,
): Promise<Contender> {
  const lab = await HoldfastLab.up(directory);
  const { server } = chat;
  const flags = profiles === undefined ? FLAGS : [...FLAGS, '--cpu-prof', '--cpu-prof-dir', profiles];
  const connection = { host: server.host, port: server.port, user: server.user };
  const env = { PGPASSWORD: server.password, NODE_COMPILE_CACHE: `${directory}-compiled` };
  const measured = async (operation: string, options: object): Promise<OperationCost> => {
    const before = serverCpuSeconds(server);
    const args = [...flags, RUN, operation, JSON.stringify({ ...connection, ...options })];
    const { serverCpuSeconds: peersCpuSeconds, ...cost } = await lab.measured(args, {
      program: process.execPath,
      env,
    });
    return { ...cost, peersCpuSeconds, serverCpuSeconds: serverCpuSeconds(server) - before };
  };
  const source = { database: chat.name, skipUnchanged: true };
  // As adding a source does. From then on the program's compiled code is at hand.
  await measured('test', source);
  return {
    name: 'holdfast',
    backup: ({ reread = false } = {}) => measured(reread ? 'reread' : 'backup', source),
    restore: (database) => measured('restore', { database }),
    storedBytes: () => lab.storedBytes(),
    close: async () => {
      await lab.down();
      await rm(`${directory}-compiled`, { recursive: true, force: true });
    },
  };
}
