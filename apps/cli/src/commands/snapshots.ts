import type { Command } from 'commander';
import { examples, type Invocation, runs } from '../invocation.ts';

export function registerSnapshots(program: Command): void {
  const command = program
    .command('snapshots')
    .summary('list the snapshots')
    .description('Lists the snapshots in this vault, oldest first. Needs no peers and no passphrase.')
    .option('--source <name>', 'only those of this source')
    .option('--tag <tag>', 'only those with this tag')
    .option('--all', 'also each snapshot of write-ahead log; else they are one line a source');
  examples(command, [
    ['holdfast snapshots', 'all of them'],
    ['holdfast snapshots --source app --json', 'for scripts: a JSON array'],
  ]);
  runs(command, listSnapshots);
}

async function listSnapshots(
  { console, vault }: Invocation,
  options: { source?: string; tag?: string; all?: boolean },
): Promise<void> {
  const { openCatalogOf } = await import('../vault/open-catalog.ts');
  const { snapshotJson, snapshotTable } = await import('../output/snapshot-view.ts');
  await using opened = await openCatalogOf(vault);
  const all = await opened.catalog.snapshots(options.source === undefined ? {} : { source: options.source });
  const shown = all.filter((snapshot) => options.tag === undefined || snapshot.tags.includes(options.tag));
  console.result(shown.map(snapshotJson), () =>
    shown.length > 0
      ? snapshotTable(shown, console.colors, options.all === true)
      : ['No snapshots yet. Make one with: holdfast backup'],
  );
}
