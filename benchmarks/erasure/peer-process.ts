import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { StripeShape } from '@holdfast/erasure';
import type { Coder, Operation } from './coder.ts';

/**
 * Another implementation, in a process of its own that times itself. It greets with its version; then a line is asked and
 * a line answered:
 *
 *   prepare K M BYTES      ready, refused, or what is wrong
 *   run OPERATION TIMES    nanoseconds
 */
export class PeerProcess implements Coder {
  readonly name: string;
  readonly operations = ['encode', 'rebuild', 'rebuild-one'] as const;
  readonly version: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(name: string, child: ChildProcess, lines: AsyncIterator<string>, version: string) {
    this.name = name;
    this.#child = child;
    this.#lines = lines;
    this.version = version;
  }

  static async start(
    name: string,
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<PeerProcess> {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child, 'spawn');
    // A peer that has died is noticed by its missing answer.
    child.stdin!.on('error', () => {});
    const lines = linesOf(createInterface(child.stdout!));
    return new PeerProcess(name, child, lines, await nextLine(name, lines));
  }

  async prepare({ k, m, bytes }: StripeShape): Promise<boolean> {
    const answer = await this.#ask(`prepare ${k} ${m} ${bytes}`);
    if (answer !== 'ready' && answer !== 'refused') throw new Error(`${this.name}: ${answer}`);
    return answer === 'ready';
  }

  async run(operation: Operation, times: number): Promise<number> {
    return Number(await this.#ask(`run ${operation} ${times}`));
  }

  async close(): Promise<void> {
    this.#child.stdin!.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }

  #ask(line: string): Promise<string> {
    this.#child.stdin!.write(`${line}\n`);
    return nextLine(this.name, this.#lines);
  }
}

const linesOf = (reader: Interface): AsyncIterator<string> => reader[Symbol.asyncIterator]();

async function nextLine(name: string, lines: AsyncIterator<string>): Promise<string> {
  const { value, done } = await lines.next();
  if (done) throw new Error(`${name} ended without an answer.`);
  return value;
}
