import type { Stripe } from '@holdfast/contracts';
import type { Command } from 'commander';
import { examples, type Invocation, runs } from '../invocation.ts';
import type { PeerNames } from '../vault/peer-names.ts';

interface ShowOptions {
  readonly source?: string;
  readonly objects?: boolean;
  readonly partitions?: boolean;
}

export function registerShow(program: Command): void {
  const command = program
    .command('show')
    .summary('show one snapshot, its objects and partitions')
    .description(
      'Shows one snapshot. What is in it (--objects, --partitions) is read from its manifest on the peers.',
    )
    .argument('<snapshot>', 'an id, the beginning of one, or "latest"')
    .option('--source <name>', 'with "latest": of this source')
    .option('--objects', 'list the files or database in it')
    .option('--partitions', 'list its partitions and which peer holds which shard');
  examples(command, [
    ['holdfast show latest --source app', 'when, how much, how coded'],
    ['holdfast show 3f9c21d0 --objects', 'what is in it'],
    ['holdfast show 3f9c21d0 --partitions --json', 'every shard and its peer'],
  ]);
  runs(command, showSnapshot);
}

async function showSnapshot(
  { console, vault, signal }: Invocation,
  options: ShowOptions,
  id: string,
): Promise<void> {
  const { findSnapshot } = await import('../vault/snapshot-id.ts');
  const { snapshotFacts, snapshotJson } = await import('../output/snapshot-view.ts');
  if (!options.objects && !options.partitions) {
    const { openCatalogOf } = await import('../vault/open-catalog.ts');
    await using opened = await openCatalogOf(vault);
    const snapshot = await findSnapshot(opened.catalog, id, options.source);
    console.result(snapshotJson(snapshot), () => snapshotFacts(snapshot, console.colors, Date.now()));
    return;
  }
  const { openVault } = await import('../vault/open.ts');
  await using opened = await openVault(vault);
  const snapshot = await findSnapshot(opened.catalog, id, options.source);
  const { engine } = opened;
  const objects = options.objects ? await collect(engine.objects(snapshot.id, { signal })) : null;
  const partitions = options.partitions ? await engine.partitions(snapshot.id, { signal }) : null;
  const { objectJson, objectTable } = await import('../output/object-view.ts');
  const names = await opened.peerNames();
  console.result(
    {
      ...snapshotJson(snapshot),
      ...(objects ? { objects: objects.map(objectJson) } : {}),
      ...(partitions ? { partitions } : {}),
    },
    () => [
      ...snapshotFacts(snapshot, console.colors, Date.now()),
      ...(objects ? ['', ...objectTable(objects)] : []),
      ...(partitions ? ['', ...partitionLines(partitions, names)] : []),
    ],
  );
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function partitionLines(partitions: readonly Stripe[], names: PeerNames): string[] {
  return partitions.map((stripe) => {
    const holders = stripe.shards.map((shard) => names.of(shard.peer)).join(' ');
    return `#${stripe.number} ${stripe.id}  ${stripe.kind}  ${stripe.k}+${stripe.m} × ${stripe.sizeClass / 1024} KiB  on ${holders}`;
  });
}
