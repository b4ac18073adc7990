import { execFile } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stopPeerProcess } from '../../apps/cli/src/lab/process.ts';
import { loadLab } from '../../apps/cli/src/lab/state.ts';
import { directorySize } from '../harness/directory-size.ts';
import { type Measured, type MeasureOptions, measure } from '../harness/measured-process.ts';
import { processFacts } from '../harness/process-facts.ts';
import type { BenchSource, Contender, OperationCost } from './contender.ts';

const COMMAND = fileURLToPath(new URL('../../apps/cli/bin/holdfast.mjs', import.meta.url));

export const SWARM = { peers: 10, operators: 5, k: 4, m: 2 } as const;

/** A vault with its swarm of loopback peers. */
export class HoldfastLab {
  static readonly #running = new Set<string>();
  readonly #directory: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #pids: readonly number[];

  private constructor(directory: string, vault: string, pids: readonly number[]) {
    this.#directory = directory;
    // As people run it: by its first line, which finds Node by the path and gives it flags.
    const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
    this.#environment = { ...process.env, PATH, HOLDFAST_VAULT: vault };
    this.#pids = pids;
  }

  static async up(directory: string): Promise<HoldfastLab> {
    const { peers, operators, k, m } = SWARM;
    const shape = ['--peers', peers, '--operators', operators, '--k', k, '--m', m].map(String);
    const args = [COMMAND, 'lab', 'up', '--json', '--directory', directory, ...shape];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    HoldfastLab.#running.add(directory);
    const lab = JSON.parse(stdout) as { vault: string; peers: { pid: number }[] };
    return new HoldfastLab(
      directory,
      lab.vault,
      lab.peers.map((peer) => peer.pid),
    );
  }

  /** Not measured. */
  async run(...args: readonly string[]): Promise<void> {
    await promisify(execFile)(process.execPath, [COMMAND, ...args], { env: this.#environment });
  }

  /** @param options `program`: instead of `holdfast`, with the vault in its environment. */
  async measured(
    args: readonly string[],
    { program = COMMAND, ...options }: MeasureOptions & { program?: string } = {},
  ): Promise<Measured & OperationCost> {
    const before = this.#peersCpuSeconds();
    const measured = await measure(program, args, {
      ...options,
      env: { ...this.#environment, ...options.env },
    });
    const facts = this.#pids.map(processFacts);
    return {
      ...measured,
      serverCpuSeconds: this.#peersCpuSeconds() - before,
      serverPeakRssBytes: Math.max(...facts.map((one) => one?.peakRssBytes ?? 0)),
    };
  }

  /** Shards only: a shard's file name begins with its id. */
  storedBytes(): Promise<number> {
    return directorySize(join(this.#directory, 'peers'), (name) => /^[0-9a-f]{64}\./.test(name));
  }

  async down(): Promise<void> {
    await this.run('lab', 'down', '--directory', this.#directory);
    HoldfastLab.#running.delete(this.#directory);
  }

  /** Kills the peers of all labs that are still up; their files are left to the caller. */
  static async abandonAll(): Promise<void> {
    for (const directory of HoldfastLab.#running) {
      const { peers } = await loadLab(directory);
      await Promise.all(peers.map((peer) => stopPeerProcess(peer, 'SIGKILL')));
    }
  }

  #peersCpuSeconds(): number {
    return this.#pids.reduce((sum, pid) => sum + (processFacts(pid)?.cpuSeconds ?? 0), 0);
  }
}

export async function holdfastContender(source: BenchSource, directory: string): Promise<Contender> {
  const lab = await HoldfastLab.up(directory);
  await lab.run('source', 'add', 'bench', source.kind === 'database' ? 'sqlite' : 'tree', source.path);
  return {
    name: 'holdfast',
    backup: () => lab.measured(['backup', 'bench', '--quiet']),
    restore: async (to) => ({
      cost: await lab.measured(['restore', 'latest', '--to', to, '--quiet']),
      restored: to,
    }),
    storedBytes: () => lab.storedBytes(),
    close: () => lab.down(),
  };
}
