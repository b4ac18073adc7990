import type { SnapshotRecord } from '@holdfast/contracts';
import { codeInWords } from '../config/code-options.ts';
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

/** Oldest first, so that the newest stands where the eye is: just above the prompt. */
export function snapshotTable(snapshots: readonly SnapshotRecord[], colors: Colors): string[] {
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
    snapshots.map((snapshot) => [
      colors.bold(shortId(snapshot.id)),
      snapshot.source,
      formatMoment(snapshot.startedAt),
      formatBytes(snapshot.totals.bytes),
      formatBytes(snapshot.totals.newBytes),
      formatBytes(snapshot.totals.storedBytes),
      notes(snapshot, colors),
    ]),
  );
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
