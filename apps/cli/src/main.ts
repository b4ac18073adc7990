import { readFileSync } from 'node:fs';
import { HoldfastError } from '@holdfast/contracts';
import { Command, CommanderError } from 'commander';
import { registerAgent } from './commands/agent.ts';
import { registerBackup } from './commands/backup.ts';
import { registerInit } from './commands/init.ts';
import { registerLab } from './commands/lab.ts';
import { registerPeer } from './commands/peer.ts';
import { registerPeers } from './commands/peers.ts';
import { registerPhrase } from './commands/phrase.ts';
import { registerPlacement } from './commands/placement.ts';
import { registerPlan } from './commands/plan.ts';
import { registerProtect } from './commands/protect.ts';
import { registerRepair } from './commands/repair.ts';
import { registerRestore } from './commands/restore.ts';
import { registerShow } from './commands/show.ts';
import { registerSnapshots } from './commands/snapshots.ts';
import { registerSource } from './commands/source.ts';
import { registerStatus } from './commands/status.ts';
import { registerVerify } from './commands/verify.ts';
import { EXIT, EXIT_MEANINGS, exitCodeOf } from './exit-codes.ts';
import { examples } from './invocation.ts';
import { Console } from './output/console.ts';
import { asHoldfastError } from './output/errors.ts';

/** The whole command tree; nothing runs yet. Command files import what they work with only when they work. */
export function buildProgram(): Command {
  const program = new Command('holdfast');
  program
    .description(
      'Encrypted backups of databases and files, spread over peers so that none of them can read anything.',
    )
    .version(version(), '-V, --version', 'print the version')
    .option('--vault <directory>', 'the vault to use (default: $HOLDFAST_VAULT, else ~/.holdfast)')
    .option('--json', 'print exactly one JSON value on standard output, errors included')
    .option('-q, --quiet', 'no progress, notes or summaries; results and errors only')
    .helpOption('-h, --help', 'explain the command, with examples')
    .addHelpCommand(helpCommand())
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(process.stdout.columns || 100, 100) })
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  examples(program, [
    ['holdfast lab up', 'try it out: a swarm of 12 peers on this machine'],
    ['holdfast init', 'create a vault'],
    ['holdfast source add app sqlite /var/lib/app.db', 'say what to back up'],
    ['holdfast backup', 'back up all sources'],
    ['holdfast restore latest --source app --to /tmp/app.db', 'get it back'],
  ]);
  program.addHelpText('after', `\nExit codes:\n${exitCodeLines()}`);

  program.commandsGroup('Setting up:');
  registerInit(program);
  registerPhrase(program);
  registerSource(program);
  registerPeers(program);
  registerPlan(program);
  program.commandsGroup('Everyday work:');
  registerBackup(program);
  registerAgent(program);
  registerProtect(program);
  registerSnapshots(program);
  registerShow(program);
  registerRestore(program);
  registerVerify(program);
  registerRepair(program);
  registerStatus(program);
  registerPlacement(program);
  program.commandsGroup('Lending disk to others:');
  registerPeer(program);
  program.commandsGroup('Trying it out:');
  registerLab(program);
  return program;
}

/** Beside `--help`, for those who look for it; in a group, lest it get one of its own. */
function helpCommand(): Command {
  return new Command('help')
    .argument('[command]')
    .description('explain a command, with examples')
    .helpOption(false)
    .helpGroup('Setting up:');
}

/** Never rejects; sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that went away (`holdfast snapshots | head -1`) is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok);
    throw error;
  });
  try {
    await buildProgram().parseAsync([...argv]);
  } catch (error) {
    process.exitCode = refuse(error, argv.includes('--json'));
  }
}

/** For what failed before a command began: mistakes on the command line. */
function refuse(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code === 'commander.help') return EXIT.usage;
    const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
    const advice = rest.join(' ').replace(/^\(|\)$/g, '');
    error = new HoldfastError('USAGE', `${message.charAt(0).toUpperCase()}${message.slice(1)}.`, {
      hint: advice || 'Add --help to see what the command takes.',
    });
  }
  const failure = asHoldfastError(error);
  new Console({ json, quiet: false }).fail(failure);
  return exitCodeOf(failure.code);
}

function exitCodeLines(): string {
  return Object.entries(EXIT_MEANINGS)
    .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
    .join('\n');
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
