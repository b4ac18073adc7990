import { HoldfastError } from '@holdfast/contracts';
import type { RepairReport } from '@holdfast/engine';
import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes.ts';
import { examples, type Invocation, runs } from '../invocation.ts';
import { formatCount } from '../units/count.ts';

interface RepairOptions {
  readonly source?: string;
  readonly read?: boolean;
}

export function registerRepair(program: Command): void {
  const command = program
    .command('repair')
    .summary('make again what peers have lost')
    .description(
      'Asks the peers which shards they have, makes missing ones again from the others, and gives them back to the peers ' +
        'that lost them. With a Clay code (policy.helpers) that takes parts of the others only. Shards of peers that do not ' +
        'answer stay as they are. Exits with 5 when something could not be repaired.',
    )
    .argument('[snapshot]', 'an id, the beginning of one, or "latest"; default: every snapshot')
    .option('--source <name>', 'with "latest": of this source')
    .option('--read', 'fetch and check every shard, to find also those that have rotted');
  examples(command, [
    ['holdfast repair', 'after a peer came back with an empty disk'],
    ['holdfast repair --read', 'what a failing disk has changed, too'],
  ]);
  runs(command, repairSnapshots);
}

async function repairSnapshots(
  { console, vault, signal }: Invocation,
  options: RepairOptions,
  wanted: string | undefined,
): Promise<ExitCode> {
  if (wanted === undefined && options.source !== undefined) {
    throw new HoldfastError('USAGE', '--source goes with "latest".', {
      hint: 'holdfast repair latest --source NAME',
    });
  }
  const { openVault } = await import('../vault/open.ts');
  const { findSnapshot } = await import('../vault/snapshot-id.ts');
  const { RunEvents } = await import('../output/run-events.ts');
  const { repairJson, repairLines } = await import('../output/repair-view.ts');
  await using opened = await openVault(vault, { write: true });
  const snapshot =
    wanted === undefined ? undefined : await findSnapshot(opened.catalog, wanted, options.source);
  const names = await opened.peerNames();
  const events = new RunEvents(console, names);
  const report = await opened.engine.repair({
    ...(snapshot ? { snapshot: snapshot.id } : {}),
    read: options.read === true,
    signal,
    onProgress: console.progress.start('repairing'),
    onEvent: events.tell,
  });
  console.progress.clear();
  return console.outcome(
    repairJson(report, names),
    () => repairLines(report, names, console.colors),
    verdict(report),
  );
}

function verdict({ lost, failed, unreachableShards }: RepairReport): HoldfastError | null {
  if (lost.length > 0) {
    return new HoldfastError(
      'TOO_FEW_SHARDS',
      `${formatCount(lost.length, 'partition')} cannot be repaired now: too few shards answer.`,
      {
        hint: 'Bring the peers named above back, then repair again.',
        details: { lost: lost.length },
      },
    );
  }
  if (failed.length > 0) {
    return new HoldfastError(
      'PEER_FAILED',
      `${formatCount(failed.length, 'shard')} were made again, but not taken back.`,
      {
        hint: 'Look after the peers named above, then repair again.',
        details: { failed: failed.length },
      },
    );
  }
  if (unreachableShards === 0) return null;
  return new HoldfastError(
    'PEER_UNREACHABLE',
    `${formatCount(unreachableShards, 'shard')} are with peers that do not answer.`,
    {
      hint: 'Bring these peers back, then repair again; or see docs/runbooks/peer-died.md.',
      details: { unreachableShards },
    },
  );
}
