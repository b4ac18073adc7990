/** `npm run demo`: the main job end to end with real processes, and proof of what was promised. */
import { mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes } from '../../apps/cli/src/units/bytes.ts';
import { Narrator } from './narrate.ts';
import { closingLine, type Outcome, outcomeJson, promiseLines, promises } from './outcome.ts';
import { Story } from './story.ts';
import { removeSwarm } from './swarm.ts';

const HELP = `npm run demo -- [--json] [--seed NUMBER]

Backs up a database of more than 200 MiB to 12 peer processes, changes 1 % of its rows and backs it up again, kills as
many peers as may be lost, corrupts shards on another, restores both snapshots, and proves them identical.

  --json         one object on standard output; the story goes to standard error
  --seed NUMBER  other data; the same number gives the same again (default 1)
`;
/** Original, its copy, a restored one, shards of both snapshots, logs. */
const NEEDED_BYTES = 1.5 * 2 ** 30;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) {
    process.stderr.write(`"${values.seed}" is not a whole number.\n\n${HELP}`);
    return 2;
  }
  const tell = new Narrator(values.json ? process.stderr : process.stdout);
  return tellAndTidy(seed, values.json, tell);
}

async function tellAndTidy(seed: number, json: boolean, tell: Narrator): Promise<number> {
  const startedAt = performance.now();
  const interrupted = new AbortController();
  const onSignal = (name: string): void => {
    const again = interrupted.signal.aborted;
    tell.line(
      again ? '    A moment, please.' : `    ${name}: stopping all processes and removing all files …`,
    );
    interrupted.abort(new Error(`Stopped by ${name}.`));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  let directory: string | undefined;
  let outcome: Outcome | undefined;
  try {
    directory = await workspace();
    tell.line(tell.colors.bold('Holdfast, the main job from end to end'));
    outcome = await new Story(directory, seed, tell, interrupted.signal).run(startedAt);
  } catch (error) {
    if (json) process.stdout.write(`${JSON.stringify({ identical: false, error: messageOf(error) })}\n`);
    if (!interrupted.signal.aborted || json) tell.line(tell.colors.red(`\n  ✗ ${messageOf(error)}`));
  } finally {
    if (directory !== undefined) await removeSwarm(directory);
    for (const name of SIGNALS) process.off(name, onSignal);
  }
  if (interrupted.signal.aborted) return 130;
  return outcome ? conclude(outcome, json, tell) : 1;
}

function conclude(outcome: Outcome, json: boolean, tell: Narrator): number {
  tell.line();
  tell.line(tell.colors.bold('What was promised, and what was seen'));
  for (const line of promiseLines(outcome, tell.colors)) tell.line(line);
  tell.line();
  tell.line(`  ${closingLine(outcome)}`);
  tell.line('  All processes are stopped and all files removed.');
  if (json) process.stdout.write(`${JSON.stringify(outcomeJson(outcome))}\n`);
  return promises(outcome).every(({ kept }) => kept) ? 0 : 1;
}

async function workspace(): Promise<string> {
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize < NEEDED_BYTES) {
    throw new Error(
      `The demo needs ${formatBytes(NEEDED_BYTES)} in ${tmpdir()}, which has ${formatBytes(bavail * bsize)}. Set TMPDIR to another directory.`,
    );
  }
  return mkdtemp(join(tmpdir(), 'holdfast-demo-'));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

process.exitCode = await main();
