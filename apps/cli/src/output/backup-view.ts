import { displayPath, type HoldfastError } from '@holdfast/contracts';
import type { BackupReport } from '@holdfast/engine';
import { formatBytes, formatRate } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';
import { formatDuration } from '../units/duration.ts';
import { shortId } from '../vault/snapshot-id.ts';
import type { Colors } from './colors.ts';
import { errorJson } from './errors.ts';
import { jsonPath } from './json.ts';
import { snapshotJson } from './snapshot-view.ts';
import { facts } from './table.ts';

/** More would push the summary off the screen; `--json` has all. */
const MOST_PROBLEMS = 20;

export function backupJson(
  name: string,
  report: BackupReport | undefined,
  failure: HoldfastError | undefined,
): Record<string, unknown> {
  if (!report) return { source: name, ok: false, ...(failure ? errorJson(failure) : {}) };
  const { snapshot, problems, ...figures } = report;
  return {
    source: name,
    ok: snapshot.complete,
    snapshot: snapshotJson(snapshot),
    ...figures,
    problems: problems.map((problem) => ({ ...jsonPath(problem.path), message: problem.message })),
  };
}

export function backupLines(name: string, report: BackupReport, colors: Colors): string[] {
  const { snapshot, problems } = report;
  const { totals } = snapshot;
  const mark = snapshot.complete ? colors.green('✓') : colors.yellow('!');
  const resumed = report.shardsResumed > 0 ? `, ${formatCount(report.shardsResumed)} were there already` : '';
  return [
    `${mark} ${colors.bold(name)}: snapshot ${colors.bold(shortId(snapshot.id))}${snapshot.complete ? '' : colors.yellow(' (incomplete)')}`,
    ...facts([
      ['data', `${formatBytes(totals.bytes)} in ${formatCount(totals.objects, 'object')}`],
      [
        'new',
        `${formatBytes(totals.newBytes)} (${formatCount(report.newChunks, 'chunk')}); read ${formatBytes(report.readBytes)}`,
      ],
      [
        'sent',
        `${formatCount(report.shardsSent, 'shard')}${resumed}; ${formatBytes(totals.storedBytes)} of data and parity`,
      ],
      ['head', `on ${formatCount(report.headPeers, 'peer')}`],
      ['took', `${formatDuration(report.seconds * 1000)}, ${formatRate(totals.bytes, report.seconds)}`],
    ]),
    ...(report.missingShards > 0 ? [missingLine(report.missingShards, colors)] : []),
    ...problems
      .slice(0, MOST_PROBLEMS)
      .map((problem) => `  ${colors.yellow('!')} ${displayPath(problem.path)}: ${problem.message}`),
    ...(problems.length > MOST_PROBLEMS
      ? [`  … and ${problems.length - MOST_PROBLEMS} more; --json lists all.`]
      : []),
  ];
}

const missingLine = (count: number, colors: Colors): string =>
  `  ${colors.yellow('!')} peers no longer have ${formatCount(count, 'shard')} of what was stored before; run "holdfast verify"`;
