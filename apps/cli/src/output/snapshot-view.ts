import type { SnapshotRecord } from '@holdfast/contracts';
import { codeInWords } from '../config/code-options.ts';
import { physicalKind } from '../protect/names.ts';
import { formatBytes } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';
import { formatAgo, formatDuration, formatMoment } from '../units/duration.ts';
import { shortId } from '../vault/snapshot-id.ts';
import type { Colors } from './colors.ts';
import { jsonTime } from './json.ts';
import { facts, table } from './table.ts';

/** A snapshot as `--json` shows it everywhere. */
export function snapshotJson(snapshot: SnapshotRecord): Record<string, unknown> {
  const { id, sequence, source, sourceKind, complete, tags, totals, manifest } = snapshot;
  return {
    id,
    sequence,
    source,
    sourceKind,
    startedAt: jsonTime(snapshot.startedAt),
    finishedAt: jsonTime(snapshot.finishedAt),
    complete,
    tags,
    totals,
    k: manifest.k,
    m: manifest.m,
    helpers: manifest.helpers,
  };
}

/**
 * Oldest first, so that the newest stands where the eye is: just above the prompt. Without `all`, the snapshots of
 * write-ahead log, thousands a day, are one line for each source, where the newest stands.
 */
export function snapshotTable(snapshots: readonly SnapshotRecord[], colors: Colors, all = true): string[] {
  return table(
    [
      { title: 'SNAPSHOT' },
      { title: 'SOURCE' },
      { title: 'TAKEN' },
      { title: 'DATA', align: 'right' },
      { title: 'NEW', align: 'right' },
      { title: 'STORED', align: 'right' },
      { title: 'NOTES' },
    ],
    (all ? snapshots.map((snapshot) => [snapshot]) : folded(snapshots)).map((group) =>
      group.length > 1 ? groupRow(group, colors) : snapshotRow(group[0]!, colors),
    ),
  );
}

const snapshotRow = (snapshot: SnapshotRecord, colors: Colors): string[] => [
  colors.bold(shortId(snapshot.id)),
  snapshot.source,
  formatMoment(snapshot.startedAt),
  formatBytes(snapshot.totals.bytes),
  formatBytes(snapshot.totals.newBytes),
  formatBytes(snapshot.totals.storedBytes),
  notes(snapshot, colors),
];

function groupRow(group: readonly SnapshotRecord[], colors: Colors): string[] {
  const [first, last] = [group[0]!, group.at(-1)!];
  const sum = (of: (totals: SnapshotRecord['totals']) => number): string =>
    formatBytes(group.reduce((total, { totals }) => total + of(totals), 0));
  return [
    colors.bold(shortId(last.id)),
    last.source,
    formatMoment(last.startedAt),
    sum(({ bytes }) => bytes),
    sum(({ newBytes }) => newBytes),
    sum(({ storedBytes }) => storedBytes),
    colors.dim(
      `${formatCount(group.length, 'snapshot')} since ${formatMoment(first.startedAt)}; --all lists them`,
    ),
  ];
}

/** Write-ahead log by source, at the place of its newest snapshot; all others alone. */
function folded(snapshots: readonly SnapshotRecord[]): SnapshotRecord[][] {
  const groups = new Map<string, SnapshotRecord[]>();
  for (const snapshot of snapshots) {
    const isWal = snapshot.sourceKind === physicalKind('wal');
    const key = isWal ? `wal ${snapshot.source}` : snapshot.id;
    const group = groups.get(key) ?? [];
    group.push(snapshot);
    // At the end again: a map is in the order of insertion.
    groups.delete(key);
    groups.set(key, group);
  }
  return [...groups.values()];
}

export function snapshotFacts(snapshot: SnapshotRecord, colors: Colors, now: number): string[] {
  const { totals, manifest } = snapshot;
  return [
    `Snapshot ${colors.bold(snapshot.id)}`,
    ...facts([
      ['source', `${snapshot.source} (${snapshot.sourceKind})`],
      ['taken', `${formatMoment(snapshot.startedAt)}, ${formatAgo(snapshot.startedAt, now)}`],
      ['took', formatDuration(snapshot.finishedAt - snapshot.startedAt)],
      ['data', `${formatBytes(totals.bytes)} in ${formatCount(totals.objects, 'object')}`],
      [
        'new',
        `${formatBytes(totals.newBytes)}, stored as ${formatBytes(totals.storedBytes)}, parity included`,
      ],
      ['partitions', formatCount(totals.partitions)],
      ['coding', codeInWords(manifest)],
      ['complete', snapshot.complete ? 'yes' : colors.yellow('no: some objects could not be read')],
      ...(snapshot.tags.length > 0 ? ([['tags', snapshot.tags.join(', ')]] as const) : []),
    ]),
  ];
}

function notes(snapshot: SnapshotRecord, colors: Colors): string {
  const incomplete = snapshot.complete ? [] : [colors.yellow('incomplete')];
  return [...incomplete, ...snapshot.tags].join(' ');
}
