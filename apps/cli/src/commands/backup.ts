import { HoldfastError } from '@holdfast/contracts';
import type { BackupReport, Engine } from '@holdfast/engine';
import type { Command } from 'commander';
import type { SourceConfig } from '../config/schema.ts';
import type { ExitCode } from '../exit-codes.ts';
import { examples, type Invocation, runs } from '../invocation.ts';
import type { RunEvents } from '../output/run-events.ts';

interface BackupOptions {
  readonly tag?: string[];
  readonly reread?: boolean;
}

interface Run {
  readonly invocation: Invocation;
  readonly options: BackupOptions;
  readonly engine: Engine;
  readonly events: RunEvents;
  readonly several: boolean;
}

interface Done {
  readonly name: string;
  readonly report?: BackupReport;
  readonly failure?: HoldfastError;
}

export function registerBackup(program: Command): void {
  const command = program
    .command('backup')
    .summary('back up all sources, or those named')
    .description(
      'Takes a snapshot of each source and spreads what is new over the peers. A run that was interrupted is ' +
        'continued: shards that peers have acknowledged are not sent again.',
    )
    .argument('[name...]', 'default: all sources but standard input')
    .option('-t, --tag <tag...>', 'labels for the snapshots')
    .option('--reread', 'read everything, even files that look unchanged');
  examples(command, [
    ['holdfast backup', 'all sources'],
    ['holdfast backup app --tag before-upgrade', 'one source, labelled'],
    ['pg_dump app | holdfast backup dump', 'standard input, for a source of kind stdin'],
  ]);
  runs(command, backUp);
}

async function backUp(invocation: Invocation, options: BackupOptions, names: string[]): Promise<ExitCode> {
  const { console, vault } = invocation;
  const { openVault } = await import('../vault/open.ts');
  const { RunEvents } = await import('../output/run-events.ts');
  const selected = await chooseSources(vault, names);
  await using opened = await openVault(vault, { write: true });
  const { engine } = opened;
  const events = new RunEvents(console, await opened.peerNames());
  const done: Done[] = [];
  const one = { invocation, options, engine, events, several: selected.length > 1 };
  for (const [name, source] of selected) done.push(await backUpOne(one, name, source));
  events.summarise();
  const { backupJson, backupLines } = await import('../output/backup-view.ts');
  const failure = firstFailure(done);
  return console.outcome(
    { backups: done.map(({ name, report, failure: failed }) => backupJson(name, report, failed)) },
    () => done.flatMap(({ name, report }) => (report ? backupLines(name, report, console.colors) : [])),
    failure,
  );
}

async function chooseSources(vault: string, names: string[]): Promise<[string, SourceConfig][]> {
  const { loadConfig } = await import('../config/load.ts');
  const { selectSources } = await import('../vault/sources.ts');
  const config = await loadConfig(vault);
  const selected = selectSources(config, names).filter(
    ([, source]) => names.length > 0 || source.kind !== 'stdin',
  );
  const streams = selected.filter(([, source]) => source.kind === 'stdin').map(([name]) => name);
  if (selected.length === 0) {
    throw new HoldfastError('NOT_FOUND', 'There is nothing to back up yet.', {
      hint: 'Add a source: holdfast source add NAME sqlite|tree PATH',
    });
  }
  if (streams.length > 1) {
    throw new HoldfastError(
      'USAGE',
      `Only one source can read standard input, not ${streams.join(' and ')}.`,
      {
        hint: 'Back them up one after the other.',
      },
    );
  }
  if (streams.length === 1 && process.stdin.isTTY) {
    throw new HoldfastError('USAGE', `"${streams[0]}" reads standard input, which is a terminal here.`, {
      hint: `Pipe something into it: some-command | holdfast backup ${streams[0]}`,
    });
  }
  return selected;
}

/** A source that fails does not keep the others from being backed up; Ctrl-C does. */
async function backUpOne(run: Run, name: string, source: SourceConfig): Promise<Done> {
  const { options, engine, events, several } = run;
  const { console, vault, signal } = run.invocation;
  const { makeSource } = await import('../vault/sources.ts');
  const { asHoldfastError, errorLines } = await import('../output/errors.ts');
  try {
    const report = await engine.backup({
      name,
      source: await makeSource(source, vault),
      tags: options.tag ?? [],
      reread: options.reread === true,
      signal,
      onProgress: console.progress.start(name),
      onEvent: events.tell,
    });
    return { name, report };
  } catch (error) {
    const failure = asHoldfastError(error);
    if (failure.code === 'CANCELLED') throw failure;
    if (several)
      for (const line of errorLines(failure, console.noteColors, false)) console.note(`${name}: ${line}`);
    return { name, failure };
  } finally {
    console.progress.clear();
  }
}

function firstFailure(done: readonly Done[]): HoldfastError | null {
  const failed = done.find((one) => one.failure)?.failure;
  if (failed) {
    if (done.length === 1) return failed;
    const names = done.filter((one) => one.failure).map((one) => one.name);
    return new HoldfastError(
      failed.code,
      `No backup was made of ${names.join(', ')}. First reason: ${failed.message}`,
      {
        hint: failed.hint ?? '',
        details: { ...failed.details, sources: names },
        cause: failed.cause,
      },
    );
  }
  const partial = done.filter((one) => one.report && !one.report.snapshot.complete).map((one) => one.name);
  if (partial.length === 0) return null;
  return new HoldfastError(
    'INCOMPLETE',
    `Parts of ${partial.join(', ')} could not be read; the snapshot lacks them.`,
    {
      hint: 'Make them readable, or exclude them, and back up again. The snapshot holds everything else.',
      details: { sources: partial },
    },
  );
}
