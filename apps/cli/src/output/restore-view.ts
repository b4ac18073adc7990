import type { SnapshotRecord } from '@holdfast/contracts';
import type { PeerFault, RestoreReport } from '@holdfast/engine';
import { formatBytes, formatRate } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';
import { formatDuration, formatMoment } from '../units/duration.ts';
import type { PeerNames } from '../vault/peer-names.ts';
import { shortId } from '../vault/snapshot-id.ts';
import type { Console } from './console.ts';
import { facts } from './table.ts';

export function restoreJson(
  snapshot: SnapshotRecord,
  report: RestoreReport,
  to: string,
  names: PeerNames,
): Record<string, unknown> {
  return {
    ...report,
    source: snapshot.source,
    to,
    faults: report.faults.map((fault) => faultJson(fault, names)),
  };
}

export function restoreLines(
  snapshot: SnapshotRecord,
  report: RestoreReport,
  to: string,
  names: PeerNames,
  console: Console,
): string[] {
  const colors = to === '-' ? console.noteColors : console.colors;
  const decoded = report.decoded > 0 ? `, ${formatCount(report.decoded)} of them from parity` : '';
  const target = to === '-' ? 'standard output' : to;
  return [
    `${colors.green('✓')} Restored ${colors.bold(snapshot.source)} as of ${formatMoment(snapshot.startedAt)} (${shortId(snapshot.id)}) to ${target}`,
    ...facts([
      [
        'data',
        `${formatBytes(report.bytes)} in ${formatCount(report.objects, 'object')}, all checked against the manifest`,
      ],
      [
        'from',
        `${formatCount(report.partitions, 'partition')}${decoded}; fetched ${formatBytes(report.fetchedBytes)}`,
      ],
      ['took', `${formatDuration(report.seconds * 1000)}, ${formatRate(report.bytes, report.seconds)}`],
    ]),
    ...faultLines(report.faults, names, colors),
  ];
}

/** What peers did wrong, by name: the reader decides what to do about them. */
export function faultLines(
  faults: readonly PeerFault[],
  names: PeerNames,
  colors: Console['colors'],
): string[] {
  return faults.map((fault) => {
    const kinds = [
      fault.wrongBytes > 0 ? colors.red(`${formatCount(fault.wrongBytes, 'shard')} with wrong bytes`) : '',
      fault.missing > 0 ? `${formatCount(fault.missing, 'shard')} missing` : '',
      fault.unreachable > 0 ? `${formatCount(fault.unreachable, 'shard')} out of reach` : '',
    ];
    return `  ${colors.yellow('!')} ${names.of(fault.peer)}: ${kinds.filter(Boolean).join(', ')}`;
  });
}

export const faultJson = (fault: PeerFault, names: PeerNames): Record<string, unknown> => ({
  ...fault,
  name: names.of(fault.peer),
});
