import { HoldfastError, type SourceReport } from '@holdfast/contracts';
import type { Command } from 'commander';
import { type DatabaseAddress, databaseUrl } from '../config/database-url.ts';
import type { Config, SourceConfig } from '../config/schema.ts';
import type { AddOptions } from '../config/written-source.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { examples, type Invocation, runs } from '../invocation.ts';
import type { Console } from '../output/console.ts';
import { facts, table } from '../output/table.ts';
import { formatBytes } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';

export function registerSource(program: Command): void {
  const source = program
    .command('source')
    .helpCommand(false)
    .summary('say what is backed up')
    .description('Says what is backed up.');
  examples(source, [
    ['holdfast source add app sqlite /var/lib/app.db', 'a live SQLite database, called "app"'],
  ]);

  const add = source
    .command('add')
    .summary('add a source to the configuration')
    .description('Adds a source to holdfast.yaml, keeping its comments.')
    .argument('<name>', 'a short name; snapshots of one name form a history')
    .argument(
      '<kind>',
      'postgres or mysql (a database on a server), sqlite (a live database file), tree (a directory) or stdin',
    )
    .argument('[place]', 'the file or directory, or postgres://USER@HOST:PORT/DATABASE; not for stdin')
    .option(
      '-x, --exclude <pattern...>',
      'leave out paths that match, such as "*.tmp", or tables, such as audit.*',
    )
    .option('--include <table...>', 'postgres, mysql: only these tables, such as public.*')
    .option('--password-file <file>', 'postgres, mysql: whose first line is the password')
    .option('--password-env <variable>', 'postgres, mysql: the environment variable that has the password')
    .option('--family <family...>', 'postgres, mysql: columns kept apart, such as users.pii=email,phone')
    .option(
      '--time <table...>',
      'postgres, mysql: cut by a time column, such as messages=created_at or log=at:week',
    )
    .option('--one-file-system', 'tree: do not follow into other file systems')
    .option(
      '--skip-unchanged',
      'postgres: do not read what the server proves to be unchanged (docs/decisions/0017)',
    )
    .option('--replace', 'change an existing source of that name');
  examples(add, [
    ['holdfast source add chat postgres postgres://backup@localhost/chat', 'a PostgreSQL database'],
    ['holdfast source add app sqlite /var/lib/app.db', 'a live SQLite database'],
    ["holdfast source add home tree ~ --exclude .cache '*.tmp'", 'a directory with all below it'],
    ['holdfast source add dump stdin', 'for: pg_dump app | holdfast backup dump'],
  ]);
  runs(add, addSourceCommand);

  const list = source
    .command('list')
    .alias('ls')
    .summary('list the sources')
    .description('Lists the configured sources.');
  examples(list, [['holdfast source list', 'names, kinds and paths']]);
  runs(list, listSources);

  const test = source
    .command('test')
    .summary('check that sources can be read')
    .description('Checks that the sources could be backed up and says what is there. Changes nothing.')
    .argument('[name...]', 'default: all sources');
  examples(test, [['holdfast source test app', 'size, tables and journal mode of the database']]);
  runs(test, testSources);

  const remove = source
    .command('remove')
    .alias('rm')
    .summary('forget a source; its snapshots stay')
    .description('Takes a source out of holdfast.yaml. Its snapshots stay and can be restored.')
    .argument('<name>', 'a configured source');
  examples(remove, [['holdfast source remove app', 'no more backups of "app"; its snapshots stay']]);
  runs(remove, removeSourceCommand);
}

async function addSourceCommand(
  { console, vault, signal }: Invocation,
  { replace, ...options }: AddOptions & { readonly replace?: boolean },
  name: string,
  kind: string,
  path: string | undefined,
): Promise<void> {
  const { addSource } = await import('../config/edit.ts');
  const { SOURCE_NAME } = await import('../config/schema.ts');
  if (!SOURCE_NAME.test(name)) {
    throw new HoldfastError('USAGE', `"${name}" is not a source name.`, {
      hint: 'Use up to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit.',
    });
  }
  const { writtenSource } = await import('../config/written-source.ts');
  const written = writtenSource(kind, path, options);
  const config = await addSource(vault, name, written, replace === true);
  const added = config.sources[name]!;
  console.done({ source: { name, ...listed(added) } }, () => [
    `Added "${name}": ${describe(added)}.`,
    `Back it up with: ${added.kind === 'stdin' ? 'some-command | ' : ''}holdfast backup ${name}`,
  ]);
  if (added.kind === 'stdin') return;
  const { makeSource } = await import('../vault/sources.ts');
  const source = await makeSource(added, vault);
  const unreadable = await source.test({ signal }).then(
    () => null,
    (error: unknown) => error,
  );
  if (HoldfastError.is(unreadable))
    console.warn(`${unreadable.message} (The source was added all the same.)`);
  else if (unreadable) throw unreadable;
}

async function listSources({ console, vault }: Invocation): Promise<void> {
  const { loadConfig } = await import('../config/load.ts');
  const sources = Object.entries((await loadConfig(vault)).sources);
  console.result(
    sources.map(([name, source]) => ({ name, ...listed(source) })),
    () =>
      sources.length === 0
        ? ['No sources yet. Add one with: holdfast source add NAME sqlite|tree|stdin [PATH]']
        : table(
            [{ title: 'NAME' }, { title: 'KIND' }, { title: 'WHAT' }],
            sources.map(([name, source]) => [name, source.kind, what(source)]),
          ),
  );
}

async function testSources(
  { console, vault, signal }: Invocation,
  _: object,
  names: string[],
): Promise<ExitCode> {
  const { loadConfig } = await import('../config/load.ts');
  const { makeSource, selectSources } = await import('../vault/sources.ts');
  const { asHoldfastError, errorJson } = await import('../output/errors.ts');
  const results: object[] = [];
  const lines: string[] = [];
  let failed: HoldfastError | null = null;
  for (const [name, source] of selectSources(await loadConfig(vault), names)) {
    try {
      const reader = await makeSource(source, vault);
      const report = await reader.test({ signal });
      results.push({ name, ok: true, ...report });
      lines.push(...readableLines(console, name, source, report));
    } catch (error) {
      const failure = asHoldfastError(error);
      if (failure.code === 'CANCELLED') throw failure;
      failed ??= failure;
      results.push({ name, ok: false, ...errorJson(failure) });
      lines.push(`${console.colors.red('✗')} ${console.colors.bold(name)}: ${failure.message}`);
    }
  }
  if (!failed) {
    console.result({ sources: results }, () => (lines.length > 0 ? lines : ['No sources yet.']));
    return EXIT.ok;
  }
  return console.outcome({ sources: results }, () => lines, failed);
}

function readableLines(console: Console, name: string, source: SourceConfig, report: SourceReport): string[] {
  const size = report.bytes === null ? 'size unknown' : formatBytes(report.bytes);
  const objects = report.objects === null ? '' : `, ${formatCount(report.objects, 'object')}`;
  return [
    `${console.colors.green('✓')} ${console.colors.bold(name)}: ${describe(source)}, ${size}${objects}`,
    ...facts(
      Object.entries(report.facts).map(([label, value]) => [label, String(value)]),
      '    ',
    ),
  ];
}

async function removeSourceCommand({ console, vault }: Invocation, _: object, name: string): Promise<void> {
  const { removeSource } = await import('../config/edit.ts');
  const { openSwarm } = await import('../vault/open-swarm.ts');
  const { PHYSICAL, physicalName } = await import('../protect/names.ts');
  await using swarm = await openSwarm(vault, { write: true });
  const slot = await slotBehind(vault, name, swarm.config);
  await removeSource(vault, name);
  const names = new Set([name, ...(slot === null ? [] : PHYSICAL.map((kind) => physicalName(name, kind)))]);
  // What an interrupted backup of it left half sent will not be continued, and must not keep its package keys.
  for (const { source, stripe } of await swarm.catalog.journalledPartitions()) {
    if (names.has(source)) await swarm.catalog.abandonPartition(stripe.id);
  }
  if (slot !== null) {
    console.warn(
      `The server goes on keeping WAL for it if it was protected. Stop what protects it, then: SELECT pg_drop_replication_slot('${slot}')`,
    );
  }
  console.done({ removed: name, ...(slot === null ? {} : { slot }) }, () => [
    `Removed "${name}" from the configuration. Its snapshots stay.`,
  ]);
}

/** What protection leaves on the server; null for a source that is not protected, or not there. */
async function slotBehind(vault: string, name: string, { sources }: Config): Promise<string | null> {
  const { isProtected } = await import('../protect/configured.ts');
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
  if (!source || !isProtected(source)) return null;
  const { slotOf } = await import('../protect/protect.ts');
  return slotOf(vault, name, source);
}

/** Of hooks only when they are called: an address may hold what a service knows its users by. */
const listed = (source: SourceConfig): object =>
  source.kind === 'stdin' || !source.hooks ? source : { ...source, hooks: Object.keys(source.hooks) };

const what = (source: SourceConfig): string => {
  const excluded = 'exclude' in source && source.exclude.length > 0;
  return `${placeOf(source)}${excluded ? `  without ${source.exclude.join(', ')}` : ''}`;
};

function placeOf(source: SourceConfig): string {
  switch (source.kind) {
    case 'stdin':
      return 'standard input';
    case 'sqlite':
    case 'tree':
      return source.path;
    default:
      return databaseUrl(source as DatabaseAddress);
  }
}

function describe(source: SourceConfig): string {
  const place = placeOf(source);
  if (source.kind === 'sqlite') return `SQLite database ${place}`;
  return source.kind === 'tree' ? `directory ${place}` : place;
}
