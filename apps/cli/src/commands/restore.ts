import { HoldfastError } from '@holdfast/contracts';
import type { Command } from 'commander';
import { examples, type Invocation, runs } from '../invocation.ts';

interface RestoreOptions {
  readonly source?: string;
  readonly to: string;
  readonly overwrite?: boolean;
}

export function registerRestore(program: Command): void {
  const command = program
    .command('restore')
    .summary('write a snapshot back')
    .description(
      'Fetches any k shards of each partition, checks every byte against the signed manifest, and writes the snapshot ' +
        'back. Nothing appears under its final name before all of it is there.',
    )
    .argument('<snapshot>', 'an id, the beginning of one, or "latest"')
    .option('--source <name>', 'with "latest": of this source')
    .requiredOption('--to <path>', 'the database file or directory to make; - is standard output')
    .option('--overwrite', 'replace what is there already');
  examples(command, [
    ['holdfast restore latest --source app --to /tmp/app.db', 'the newest snapshot of "app"'],
    ['holdfast restore 3f9c21d0 --to ~/documents --overwrite', 'a certain one, over what is there'],
    ['holdfast restore latest --source dump --to - | psql app', 'a stream, into another program'],
  ]);
  runs(command, restoreSnapshot);
}

async function restoreSnapshot(
  { console, vault, signal }: Invocation,
  options: RestoreOptions,
  wanted: string,
): Promise<void> {
  const toStream = options.to === '-';
  if (toStream && console.json) {
    throw new HoldfastError('USAGE', '--json and --to - both want standard output.', {
      hint: 'Leave one of them out.',
    });
  }
  const { openVault } = await import('../vault/open.ts');
  const { sinkFor } = await import('@holdfast/sources');
  const { findSnapshot } = await import('../vault/snapshot-id.ts');
  const { RunEvents } = await import('../output/run-events.ts');
  const { restoreJson, restoreLines } = await import('../output/restore-view.ts');
  await using opened = await openVault(vault);
  const snapshot = await findSnapshot(opened.catalog, wanted, options.source);
  // Elsewhere a reader that goes away ends the command in peace; here it means that the restore did not succeed.
  if (toStream) process.stdout.removeAllListeners('error');
  const target = toStream
    ? { stream: process.stdout }
    : { path: options.to, overwrite: options.overwrite === true };
  const sink = sinkFor(snapshot.sourceKind, target);
  const names = await opened.peerNames();
  const events = new RunEvents(console, names);
  const { engine } = opened;
  const report = await engine.restore({
    snapshot: snapshot.id,
    sink,
    signal,
    onProgress: console.progress.start('restoring'),
    onEvent: events.tell,
  });
  console.progress.clear();
  const lines = (): string[] => restoreLines(snapshot, report, options.to, names, console);
  if (toStream) for (const line of lines()) console.note(line);
  else console.done(restoreJson(snapshot, report, options.to, names), lines);
}
