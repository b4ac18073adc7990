import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CommandOptions,
  type Ended,
  mustRun,
  type Running,
  runCommand,
  startCommand,
} from './command.ts';
import type { BackupOutput } from './output.ts';

export interface LabPeer {
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly operator: string;
  readonly directory: string;
  readonly pid: number | null;
}

export interface LabPlan {
  readonly peers: number;
  readonly k: number;
  readonly m: number;
  readonly operators?: number;
  /** Peers are dealt out to them in turn. */
  readonly regions?: readonly string[];
  /** Of a Clay code. */
  readonly helpers?: number;
}

/** A swarm made by `holdfast lab up` in a directory of its own, which goes away with it, whatever happens. */
export class Lab {
  /** Free for the test's own files. */
  readonly directory: string;
  readonly plan: LabPlan;
  readonly vault: string;
  readonly #lab: string;
  readonly #onExit = () => this.#killAll();

  private constructor(directory: string, plan: LabPlan) {
    this.directory = directory;
    this.plan = plan;
    this.#lab = join(directory, 'lab');
    this.vault = join(this.#lab, 'vault');
    process.once('exit', this.#onExit);
  }

  static async up(plan: LabPlan): Promise<Lab> {
    const lab = new Lab(await mkdtemp(join(tmpdir(), 'holdfast-e2e-')), plan);
    const { peers, k, m, operators, regions, helpers = 0 } = plan;
    const shape = [
      '--peers',
      peers,
      '--k',
      k,
      '--m',
      m,
      '--helpers',
      helpers,
      ...(operators ? ['--operators', operators] : []),
      ...(regions ? ['--regions', regions.join(',')] : []),
    ];
    try {
      await mustRun(['lab', 'up', '--json', '--capacity', '8GiB', '-d', lab.#lab, ...shape.map(String)]);
      return lab;
    } catch (error) {
      await lab.down();
      throw error;
    }
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** With `--json`, in the lab's vault. */
  run(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
    return runCommand([...args, '--json'], { vault: this.vault, ...options });
  }

  /** The same for what must work. */
  must(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
    return mustRun([...args, '--json'], { vault: this.vault, ...options });
  }

  /** As people read it; must work. */
  text(args: readonly string[]): Promise<Ended> {
    return mustRun(args, { vault: this.vault });
  }

  start(args: readonly string[], options: CommandOptions = {}): Running {
    return startCommand([...args, '--json'], { vault: this.vault, ...options });
  }

  /** Makes the snapshot of one source, which must work. */
  async backUp(source: string, options: CommandOptions = {}): Promise<BackupOutput> {
    return (await this.must(['backup', source], options)).json.backups[0]!;
  }

  peers(): LabPeer[] {
    return (JSON.parse(readFileSync(join(this.#lab, 'lab.json'), 'utf8')) as { peers: LabPeer[] }).peers;
  }

  /** SIGKILL, and waits until they are gone. */
  async kill(...numbers: number[]): Promise<void> {
    for (const number of numbers) this.strike(number);
    for (const number of numbers) await this.gone(number);
  }

  /** SIGKILL at once, for when the moment matters. False when the peer does not run. */
  strike(number: number): boolean {
    const { pid, directory } = this.#peer(number);
    if (pid === null || !serves(pid, directory)) return false;
    process.kill(pid, 'SIGKILL');
    return true;
  }

  async gone(number: number): Promise<void> {
    while (this.runs(number)) await sleep(10);
  }

  runs(number: number): boolean {
    const { pid, directory } = this.#peer(number);
    return pid !== null && serves(pid, directory);
  }

  async startPeers(...numbers: number[]): Promise<void> {
    if (numbers.length > 0) await mustRun(['lab', 'start', '-d', this.#lab, ...numbers.map(String)]);
  }

  async corrupt(number: number, shards: number): Promise<readonly string[]> {
    const args = ['lab', 'corrupt', String(number), '--shards', String(shards), '-d', this.#lab, '--json'];
    return (await mustRun(args)).json.shards;
  }

  /** @param options.keep leaves the files, to look into what went wrong. */
  async down(options: { keep?: boolean } = {}): Promise<void> {
    this.#killAll();
    process.off('exit', this.#onExit);
    if (!options.keep) await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The text of a peer's log, for a failed test's message. */
  log(number: number): Promise<string> {
    return readFile(join(this.#peer(number).directory, 'peer.log'), 'utf8');
  }

  #peer(number: number): LabPeer {
    const peer = this.peers().find((one) => one.number === number);
    if (!peer) throw new Error(`The lab has no peer ${number}.`);
    return peer;
  }

  #killAll(): void {
    try {
      for (const { number } of this.peers()) this.strike(number);
    } catch {
      // There is no lab (yet): nothing runs.
    }
  }
}

/** Process ids are used again: only a process that names the peer's directory is that peer. */
function serves(pid: number, directory: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(directory);
  } catch {
    return false;
  }
}
