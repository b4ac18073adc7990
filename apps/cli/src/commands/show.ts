import type { Stripe } from '@holdfast/contracts';
import type { Command } from 'commander';
import { examples, type Invocation, runs } from '../invocation.ts';
import { formatBytes } from '../units/bytes.ts';
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
    .option(
      '--partitions',
      'list its partitions: kind, size, checksum, whom they belong with, and which peers hold them',
    );
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
  const numbers = new Map(partitions.map(({ id, number }) => [id as string, number]));
  return partitions.flatMap((stripe) => {
    const holders = stripe.shards.map((shard) => names.of(shard.peer)).join(' ');
    const code = `${stripe.k}+${stripe.m} × ${stripe.sizeClass / 1024} KiB`;
    return [
      `#${stripe.number} ${stripe.id}  ${stripe.kind.padEnd(8)}  ${formatBytes(stripe.rawSize)} in ${code}`,
      `    checksum ${stripe.checksum}`,
      ...relationLines(stripe, numbers),
      `    on ${holders}`,
    ];
  });
}

/** Partitions that are none of this snapshot's any more are told by their ids. */
function relationLines({ dependencies }: Stripe, numbers: ReadonlyMap<string, number>): string[] {
  const byKind = Map.groupBy(dependencies, ({ kind }) => kind);
  return [...byKind].map(([kind, all]) => {
    const known = all.map(({ partition }) => numbers.get(partition));
    return `    ${kind} ${known.map((number, i) => (number === undefined ? all[i]!.partition : `#${number}`)).join(' ')}`;
  });
}
