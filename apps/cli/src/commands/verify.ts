import { HoldfastError } from '@holdfast/contracts';
import type { VerifyReport } from '@holdfast/engine';
import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes.ts';
import { examples, type Invocation, runs } from '../invocation.ts';
import { formatCount } from '../units/count.ts';

interface VerifyOptions {
  readonly source?: string;
  readonly sample?: string;
}

export function registerVerify(program: Command): void {
  const command = program
    .command('verify')
    .summary('prove that snapshots can be restored')
    .description(
      'Fetches partitions from the peers and checks every shard of them. Exits with 4 when data is damaged or lost, and ' +
        'with 5 when shards are merely out of reach for now.',
    )
    .argument('[snapshot]', 'an id, the beginning of one, or "latest"; default: every snapshot')
    .option('--source <name>', 'with "latest": of this source')
    .option('--sample <fraction>', 'check this share of the partitions, chosen at random', '100%');
  examples(command, [
    ['holdfast verify', 'everything, byte by byte'],
    ['holdfast verify --sample 10%', 'a random tenth: quick enough for every night'],
    ['holdfast verify latest --source app', 'the newest snapshot of "app"'],
  ]);
  runs(command, verifySnapshots);
}

async function verifySnapshots(
  { console, vault, signal }: Invocation,
  options: VerifyOptions,
  wanted: string | undefined,
): Promise<ExitCode> {
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
