import type { RepairReport } from '@holdfast/engine';
import { formatBytes } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';
import { formatDuration } from '../units/duration.ts';
import type { PeerNames } from '../vault/peer-names.ts';
import { shortId } from '../vault/snapshot-id.ts';
import type { Colors } from './colors.ts';
import { faultJson, faultLines } from './restore-view.ts';
import { facts } from './table.ts';

const MOST_LINES = 10;

export function repairJson(report: RepairReport, names: PeerNames): Record<string, unknown> {
  return { ...report, faults: report.faults.map((fault) => faultJson(fault, names)) };
}

export function repairLines(report: RepairReport, names: PeerNames, colors: Colors): string[] {
  const { repairedShards, failed, lost, unreachableShards } = report;
  const complete = failed.length + lost.length + unreachableShards === 0;
  const mark = complete ? colors.green('✓') : lost.length > 0 ? colors.red('✗') : colors.yellow('!');
  const result =
    repairedShards > 0 ? `${formatCount(repairedShards, 'shard')} made again` : 'nothing to make again';
  return [
    `${mark} ${formatCount(report.snapshots.length, 'snapshot')} looked through: ${colors.bold(result)}`,
    ...facts([
      [
        'partitions',
        `${formatCount(report.damagedPartitions)} of ${formatCount(report.partitions)} lacked shards`,
      ],
      ...(repairedShards > 0 ? [['traffic', traffic(report)] as const] : []),
      ['took', formatDuration(report.seconds * 1000)],
    ]),
    ...faultLines(report.faults, names, colors),
    ...capped(
      failed.map(
        ({ number, index, peer, message }) =>
          `  shard ${index} of partition #${number}, ${names.of(peer)}: ${names.inWords(message)}`,
      ),
    ),
    ...capped(
      lost.map(({ partition, snapshots }) =>
        colors.red(`  lost: partition ${partition}, needed by ${snapshots.map(shortId).join(', ')}`),
      ),
    ),
  ];
}

function traffic({ fetchedBytes, repairedBytes, repairedFromParts }: RepairReport): string {
  const parts = repairedFromParts > 0 ? ` (${formatCount(repairedFromParts)} from parts)` : '';
  return `${formatBytes(fetchedBytes)} fetched to make ${formatBytes(repairedBytes)}${parts}`;
}

const capped = (lines: readonly string[]): string[] =>
  lines.length <= MOST_LINES
    ? [...lines]
    : [...lines.slice(0, MOST_LINES), `  … and ${lines.length - MOST_LINES} more; --json lists all.`];
