import { HoldfastError } from '@holdfast/contracts';
import type { Command } from 'commander';
import { examples, type Invocation, runs } from '../invocation.ts';
import type { RestoreOptions } from '../restore/restore-options.ts';

export function registerRestore(program: Command): void {
  const command = program
    .command('restore')
    .summary('write a snapshot back')
    .description(
      'Fetches any k shards of each partition, checks every byte against the signed manifest, and writes the snapshot ' +
        'back. Nothing appears under its final name before all of it is there.',
    )
    .argument('<snapshot>', 'an id, the beginning of one, or "latest"; with --at, the name of a source')
    .option('--source <name>', 'with "latest": of this source')
    .requiredOption(
      '--to <place>',
      'the file or directory to make, postgres://USER@HOST/DATABASE or mysql://…; - is standard output',
    )
    .option('--overwrite', 'replace what is there already')
    .option('--table <table...>', 'databases: only these tables, such as messages or public.*')
    .option('--window <window...>', 'databases: only rows of these windows, such as 2026-11')
    .option('--family <family...>', 'databases: only these column families, such as users.pii')
    .option('--without <family...>', 'databases: leave these column families out; their columns are null')
    .option('--put-back', 'databases: fill a column family into a database that was restored without it')
    .option(
      '--where <conditions>',
      'databases: only rows in a range of the key, such as "id >= 5 and id < 9"',
    )
    .option('--format <format>', 'databases, to a file or standard output: csv, ndjson or sql')
    .option('--jobs <number>', 'servers: connections that load at once')
    .option('--password-file <file>', 'servers: whose first line is the password')
    .option('--password-env <variable>', 'servers: the environment variable that has the password')
    .option('--no-owner', 'PostgreSQL: everything belongs to the connecting user, grants are left out')
    .option('--create-roles', 'PostgreSQL: make roles that are missing, without login')
    .option('--terminate-sessions', 'PostgreSQL, with --overwrite: end sessions of the old database')
    .option(
      '--at <moment>',
      'protected sources: a time with its zone, an LSN, the name of a restore point, or "latest"',
    )
    .option('--start', 'with --at: start the server, wait until it has recovered, and stop it again')
    .option('--tablespace <old=new...>', 'with --at: where tablespaces go');
  examples(command, [
    ['holdfast restore latest --source app --to /tmp/app.db', 'the newest snapshot of "app"'],
    ['holdfast restore 3f9c21d0 --to ~/documents --overwrite', 'a certain one, over what is there'],
    ['holdfast restore latest --source dump --to - | psql app', 'a stream, into another program'],
    ['holdfast restore latest --source chat --to postgres://postgres@localhost/chat2', 'a whole database'],
    [
      'holdfast restore latest --source chat --table messages --window 2026-11 --to november.csv',
      'some rows',
    ],
    ['holdfast restore chat --at 2026-11-20T10:31:07Z --to /srv/chat', 'a protected server as of a moment'],
  ]);
  runs(command, restoreSnapshot);
}

async function restoreSnapshot(
  invocation: Invocation,
  { owner, ...given }: RestoreOptions,
  wanted: string,
): Promise<void> {
  // Commander gives true for what --no-owner would switch off.
  const options: RestoreOptions = owner === false ? { ...given, owner } : given;
  const { checkMomentOptions } = await import('../restore/moment-options.ts');
  checkMomentOptions(options);
  if (options.at !== undefined) return restoreToMoment(invocation, { ...options, at: options.at }, wanted);
  const { console, vault, signal } = invocation;
  const toStream = options.to === '-';
  if (toStream && console.json) {
    throw new HoldfastError('USAGE', '--json and --to - both want standard output.', {
      hint: 'Leave one of them out.',
    });
  }
  const { openVault } = await import('../vault/open.ts');
  const { planRestore } = await import('../restore/plan-restore.ts');
  const { findSnapshot } = await import('../vault/snapshot-id.ts');
  const { RunEvents } = await import('../output/run-events.ts');
  const { restoreJson, restoreLines } = await import('../output/restore-view.ts');
  await using opened = await openVault(vault);
  const snapshot = await findSnapshot(opened.catalog, wanted, options.source);
  // Elsewhere a reader that goes away ends the command in peace; here it means that the restore did not succeed.
  if (toStream) process.stdout.removeAllListeners('error');
  const { engine } = opened;
  const plan = await planRestore(engine, snapshot, options, signal);
  const names = await opened.peerNames();
  const events = new RunEvents(console, names);
  const report = await engine.restore({
    snapshot: snapshot.id,
    sink: plan.sink,
    ...(plan.select ? { select: plan.select } : {}),
    signal,
    onProgress: console.progress.start('restoring'),
    onEvent: events.tell,
  });
  console.progress.clear();
  const notes = plan.notes();
  const lines = (): string[] => [
    ...restoreLines(snapshot, report, options.to, names, console),
    ...notes.map((note) => `  ${note}`),
  ];
  if (toStream) for (const line of lines()) console.note(line);
  else console.done({ ...restoreJson(snapshot, report, options.to, names), notes }, lines);
}

async function restoreToMoment(
  { console, vault, signal }: Invocation,
  options: RestoreOptions & { readonly at: string },
  source: string,
): Promise<void> {
  const { openVault } = await import('../vault/open.ts');
  const { restoreMoment } = await import('../restore/restore-moment.ts');
  const { RunEvents } = await import('../output/run-events.ts');
  const { momentJson, momentLines } = await import('../output/moment-view.ts');
  await using opened = await openVault(vault);
  const names = await opened.peerNames();
  const events = new RunEvents(console, names);
  const report = await restoreMoment({ opened, vault, source, options, console, events, signal });
  console.done(momentJson(source, options.at, report, names), () =>
    momentLines(source, options.at, report, names, console),
  );
}
