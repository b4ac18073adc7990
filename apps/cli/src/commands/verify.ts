import { HoldfastError } from '@holdfast/contracts';
import type { VerifyReport } from '@holdfast/engine';
import type { Command } from 'commander';
import type { DrillOptions } from '../drill/drill-options.ts';
import type { ExitCode } from '../exit-codes.ts';
import { examples, type Invocation, runs } from '../invocation.ts';
import { formatCount } from '../units/count.ts';

interface VerifyOptions extends DrillOptions {
  readonly source?: string;
  readonly sample?: string;
  readonly restoreDrill?: boolean;
}

export function registerVerify(program: Command): void {
  const command = program
    .command('verify')
    .summary('prove that snapshots can be restored')
    .description(
      'Fetches partitions from the peers and checks every shard of them. Exits with 4 when data is damaged or lost, and ' +
        'with 5 when shards are merely out of reach for now.\n\n' +
        'With --restore-drill it restores for a try instead: a database server’s snapshot into a scratch database, by default on the ' +
        'server that it was taken from, where that costs as much space and load as a restore; --on names another. Every table’s rows ' +
        'are counted, summed and compared with what was recorded at backup, then the scratch database is dropped. Anything else goes ' +
        'into a directory below TMPDIR, where SQLite checks its databases, and is removed.',
    )
    .argument('[snapshot]', 'an id, the beginning of one, or "latest"; default: every snapshot')
    .option('--source <name>', 'with "latest", or with --restore-drill: of this source')
    .option('--sample <fraction>', 'check this share of the partitions, chosen at random (default: 100%)')
    .option('--restore-drill', 'restore for a try; default: the newest snapshot of each database')
    .option(
      '--on <server>',
      'drill: on this server, postgres://USER@HOST/ or mysql://…; default: the source’s own',
    )
    .option('--jobs <number>', 'drill: connections that load and compare at once')
    .option('--password-file <file>', 'drill: whose first line is the password')
    .option('--password-env <variable>', 'drill: the environment variable that has the password')
    .option(
      '--no-owner',
      'drill on PostgreSQL: everything belongs to the connecting user, grants are left out',
    );
  examples(command, [
    ['holdfast verify', 'everything, byte by byte'],
    ['holdfast verify --sample 10%', 'a random tenth: quick enough for every night'],
    ['holdfast verify latest --source app', 'the newest snapshot of "app"'],
    ['holdfast verify --restore-drill --source chat', 'restore it into a scratch database, and compare'],
    [
      'holdfast verify --restore-drill --on postgres://postgres@spare/',
      'the same for all, on another server',
    ],
  ]);
  runs(command, verifySnapshots);
}

async function verifySnapshots(
  invocation: Invocation,
  options: VerifyOptions,
  wanted: string | undefined,
): Promise<ExitCode> {
  const { checkDrillOptions } = await import('../drill/drill-options.ts');
  checkDrillOptions(options);
  if (options.restoreDrill) {
    const { drillSnapshots } = await import('../drill/drill-command.ts');
    return drillSnapshots(invocation, options, wanted);
  }
  const { console, vault, signal } = invocation;
  const { parseFraction } = await import('../units/fraction.ts');
  const sample = parseFraction(options.sample ?? '100%');
  const { openVault } = await import('../vault/open.ts');
  const { findSnapshot } = await import('../vault/snapshot-id.ts');
  const { RunEvents } = await import('../output/run-events.ts');
  const { verifyJson, verifyLines } = await import('../output/verify-view.ts');
  await using opened = await openVault(vault);
  if (wanted === undefined && options.source !== undefined) {
    throw new HoldfastError('USAGE', '--source goes with "latest".', {
      hint: 'holdfast verify latest --source NAME',
    });
  }
  const snapshot =
    wanted === undefined ? undefined : await findSnapshot(opened.catalog, wanted, options.source);
  const names = await opened.peerNames();
  const events = new RunEvents(console, names);
  const { engine } = opened;
  const report = await engine.verify({
    ...(snapshot ? { snapshot: snapshot.id } : {}),
    sample,
    signal,
    onProgress: console.progress.start('verifying'),
    onEvent: events.tell,
  });
  console.progress.clear();
  return console.outcome(
    verifyJson(report, names),
    () => verifyLines(report, names, console.colors),
    verdict(report),
  );
}

/** Damage outranks absence: a peer that is away may come back, wrong bytes stay wrong. */
function verdict(report: VerifyReport): HoldfastError | null {
  if (report.healthy) return null;
  const [lost, damaged] = [report.lost.length, report.damaged.length];
  const details = { lost, damaged };
  const away = report.damaged.every((partition) =>
    partition.bad.every((bad) => bad.problem === 'unreachable'),
  );
  if (!away) {
    const first =
      lost > 0
        ? `${formatCount(lost, 'partition')} cannot be restored now;`
        : 'Everything can be restored, but';
    return new HoldfastError(
      'VERIFY_FAILED',
      `${first} shards of ${formatCount(damaged, 'partition')} are damaged or missing.`,
      {
        hint: 'Look after the peers named above, and keep the original data; see docs/runbooks/peer-died.md.',
        details,
      },
    );
  }
  if (lost > 0) {
    return new HoldfastError(
      'TOO_FEW_SHARDS',
      `${formatCount(lost, 'partition')} cannot be restored now: too few shards answer.`,
      {
        hint: 'Bring the peers named above back, then verify again.',
        details,
      },
    );
  }
  return new HoldfastError(
    'PEER_UNREACHABLE',
    'Everything can be restored, but some shards are out of reach.',
    {
      hint: 'Bring the peers named above back: until then fewer failures can be borne.',
      details,
    },
  );
}
