import { formatLsn, formatMicros } from '@holdfast/sources/postgres-wal';
import { type MomentReport, startCommand } from '../restore/restore-moment.ts';
import { formatBytes, formatRate } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';
import { formatDuration } from '../units/duration.ts';
import type { PeerNames } from '../vault/peer-names.ts';
import { shortId } from '../vault/snapshot-id.ts';
import type { Console } from './console.ts';
import { faultJson, faultLines } from './restore-view.ts';
import { facts } from './table.ts';

export function momentJson(source: string, at: string, report: MomentReport, names: PeerNames): object {
  const { plan, faults, ...rest } = report;
  const { target } = plan;
  return {
    source,
    at,
    ...rest,
    base: plan.base.id,
    wals: plan.wals.map(({ id }) => id),
    timeline: plan.timeline,
    target: {
      kind: target.kind,
      ...(target.kind === 'time' ? { time: formatMicros(target.time) } : {}),
      ...(target.kind === 'lsn' ? { lsn: formatLsn(target.lsn), inclusive: target.inclusive } : {}),
    },
    reach: formatLsn(plan.reach),
    startCommand: startCommand(report),
    faults: faults.map((fault) => faultJson(fault, names)),
  };
}

export function momentLines(
  source: string,
  at: string,
  report: MomentReport,
  names: PeerNames,
  { colors }: Pick<Console, 'colors'>,
): string[] {
  const { plan, directory, bytes, fetchedBytes, seconds, recoverySeconds, program, major } = report;
  return [
    `${colors.green('✓')} Restored ${colors.bold(source)} at ${at} to ${directory}`,
    ...facts([
      ['base', `${shortId(plan.base.id)}, ended ${formatMicros(plan.base.stoppedAt)}`],
      ['WAL', `${formatCount(plan.wals.length, 'snapshot')}, up to ${formatLsn(plan.reach)}`],
      ['data', `${formatBytes(bytes)}, all checked; fetched ${formatBytes(fetchedBytes)}`],
      ['took', `${formatDuration(seconds * 1000)}, ${formatRate(bytes, seconds)}`],
      ...(recoverySeconds === null
        ? []
        : ([
            [
              'recovery',
              `complete, in ${formatDuration(recoverySeconds * 1000)}; the server is stopped again`,
            ],
          ] as const)),
    ]),
    ...faultLines(report.faults, names, colors),
    ...(program === null ? [`  Install PostgreSQL ${major} on this machine first.`] : []),
    `  Start it with: ${startCommand(report)}`,
    ...(recoverySeconds === null ? ['  It replays the WAL to the moment, and opens.'] : []),
  ];
}
