import type { PartitionHealth, VerifyReport } from '@holdfast/engine';
import { formatBytes, formatRate } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';
import { formatDuration } from '../units/duration.ts';
import { formatPercent } from '../units/fraction.ts';
import type { PeerNames } from '../vault/peer-names.ts';
import { shortId } from '../vault/snapshot-id.ts';
import type { Colors } from './colors.ts';
import { faultJson, faultLines } from './restore-view.ts';
import { facts } from './table.ts';

const MOST_PARTITIONS = 10;

export function verifyJson(report: VerifyReport, names: PeerNames): Record<string, unknown> {
  return { ...report, faults: report.faults.map((fault) => faultJson(fault, names)) };
}

export function verifyLines(report: VerifyReport, names: PeerNames, colors: Colors): string[] {
  const share = report.partitions > 0 ? report.checkedPartitions / report.partitions : 1;
  const mark = report.healthy ? colors.green('✓') : report.restorable ? colors.yellow('!') : colors.red('✗');
  const state = report.healthy ? 'healthy' : report.restorable ? 'restorable, with damage' : 'NOT restorable';
  return [
    `${mark} ${formatCount(report.snapshots.length, 'snapshot')} verified: ${colors.bold(state)}`,
    ...facts([
      [
        'checked',
        `${formatCount(report.checkedPartitions)} of ${formatCount(report.partitions, 'partition')} (${formatPercent(share)})`,
      ],
      ['shards', `${formatCount(report.checkedShards)}, ${formatBytes(report.checkedBytes)}`],
      [
        'took',
        `${formatDuration(report.seconds * 1000)}, ${formatRate(report.checkedBytes, report.seconds)}`,
      ],
    ]),
    ...faultLines(report.faults, names, colors),
    ...report.damaged.slice(0, MOST_PARTITIONS).map((partition) => damageLine(partition, names, colors)),
    ...(report.damaged.length > MOST_PARTITIONS
      ? [`  … and ${report.damaged.length - MOST_PARTITIONS} more partitions; --json lists all.`]
      : []),
    ...report.lost
      .slice(0, MOST_PARTITIONS)
      .map((lost) =>
        colors.red(
          `  lost: partition ${lost.partition}, needed by ${lost.snapshots.map(shortId).join(', ')}`,
        ),
      ),
  ];
}

function damageLine(partition: PartitionHealth, names: PeerNames, colors: Colors): string {
  const margin =
    partition.margin < 0 ? colors.red(`${-partition.margin} too few`) : `${partition.margin} to spare`;
  const bad = partition.bad.map(
    (shard) => `shard ${shard.index} ${shard.problem} on ${names.of(shard.peer)}`,
  );
  return `  partition #${partition.number}: ${margin}; ${bad.join(', ')}`;
}
