import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { interruptSignal, type StopSignal } from './interrupt.ts';
import { Console } from './output/console.ts';
import { asHoldfastError } from './output/errors.ts';
import { catchStrays } from './strays.ts';

/** What every command gets beside its own options and arguments. */
export interface Invocation {
  readonly console: Console;
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal;
  /** Absolute path of the vault's directory; it need not exist. */
  readonly vault: string;
}

export interface GlobalOptions {
  readonly vault?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Nothing means 0. Failures are thrown. */
// biome-ignore lint/suspicious/noConfusingVoidType: what an async function without a result promises
export type Outcome = ExitCode | void;

export interface RunsOptions {
  /** What ends the command; by default Ctrl-C, SIGTERM and SIGHUP. */
  readonly stopSignals?: readonly StopSignal[];
  /** It tells of its end itself. */
  readonly silentStop?: boolean;
}

/**
 * Binds a command to its work: `run(invocation, options, ...arguments)`. Here, and only here, failures become words
 * and exit codes.
 */
export function runs<Options extends object, Arguments extends unknown[]>(
  command: Command,
  run: (invocation: Invocation, options: Options, ...args: Arguments) => Promise<Outcome>,
  how: RunsOptions = {},
): Command {
  return command.action(async (...given: unknown[]) => {
    const self = given.at(-1) as Command;
    const options = self.optsWithGlobals<Options & GlobalOptions>();
    const args = given.slice(0, -2) as Arguments;
    process.exitCode = await guarded(options, how, (invocation) => run(invocation, options, ...args));
  });
}

async function guarded(
  options: GlobalOptions,
  how: RunsOptions,
  run: (invocation: Invocation) => Promise<Outcome>,
): Promise<ExitCode> {
  const console = new Console({ json: options.json === true, quiet: options.quiet === true });
  const { signal, dispose } = interruptSignal(
    (line) => how.silentStop || console.note(line),
    how.stopSignals,
  );
  const strays = catchStrays(signal, (failure) => console.fail(failure));
  try {
    return (await run({ console, signal, vault: vaultDirectory(options) })) ?? EXIT.ok;
  } catch (error) {
    const thrown = asHoldfastError(error);
    // Whatever part of the work noticed first: what the reader did was to stop it.
    const failure = thrown.code === 'CANCELLED' && signal.aborted ? asHoldfastError(signal.reason) : thrown;
    console.fail(failure);
    return exitCodeOf(failure.code);
  } finally {
    console.progress.clear();
    strays.dispose();
    dispose();
  }
}

function vaultDirectory(options: GlobalOptions): string {
  return resolve(options.vault ?? process.env.HOLDFAST_VAULT ?? join(homedir(), '.holdfast'));
}

/** Lines under `--help`: what to type, and what it does. Every command has at least one. */
export function examples(command: Command, lines: readonly (readonly [string, string])[]): Command {
  const widest = Math.max(...lines.map(([typed]) => typed.length));
  const shown = lines.map(([typed, meaning]) =>
    widest <= 60 ? `  $ ${typed.padEnd(widest)}   # ${meaning}` : `  # ${meaning}\n  $ ${typed}`,
  );
  return command.addHelpText('after', `\n${lines.length > 1 ? 'Examples' : 'Example'}:\n${shown.join('\n')}`);
}
