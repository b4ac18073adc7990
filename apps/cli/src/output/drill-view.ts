import type { DrillReport, DrillStep, TableResult } from '../drill/drill-report.ts';
import { tableName } from '../drill/run-drill.ts';
import { formatBytes, formatRate } from '../units/bytes.ts';
import { formatCount } from '../units/count.ts';
import { formatDuration, formatMoment } from '../units/duration.ts';
import type { PeerNames } from '../vault/peer-names.ts';
import { shortId } from '../vault/snapshot-id.ts';
import type { Colors } from './colors.ts';
import { faultJson, faultLines } from './restore-view.ts';
import { facts, table } from './table.ts';

const MOST_TABLES = 200;

export function drillJson(report: DrillReport, names: PeerNames): Record<string, unknown> {
  const { snapshot, place, tables, problems, restore, steps, seconds, notes, ok } = report;
  return {
    drill: 'restore',
    source: snapshot.source,
    snapshot: snapshot.id,
    place,
    ok,
    tables,
    problems,
    rows: rowsOf(tables),
    bytes: restore.bytes,
    measuredSeconds: seconds,
    steps,
    notes,
    faults: restore.faults.map((fault) => faultJson(fault, names)),
  };
}

export function drillLines(report: DrillReport, names: PeerNames, colors: Colors): string[] {
  const { snapshot, restore, notes, ok, problems } = report;
  const mark = ok ? colors.green('✓') : colors.red('✗');
  const state = ok ? 'restores, and is what was backed up' : 'is NOT what was backed up';
  return [
    `${mark} ${colors.bold(snapshot.source)} as of ${formatMoment(snapshot.startedAt)} (${shortId(snapshot.id)}) ${colors.bold(state)}`,
    ...facts([
      ['restored on', report.place],
      ['data', `${formatBytes(restore.bytes)} in ${formatCount(restore.objects, 'object')}`],
      ...(report.tables.length > 0 ? [['rows', rowsText(report.tables)] as const] : []),
      ['took', timeText(report)],
    ]),
    ...problems.map((problem) => `  ${colors.red('✗')} ${problem}`),
    ...tableLines(report.tables, colors),
    ...notes.map((note) => `  ${note}`),
    ...faultLines(restore.faults, names, colors),
  ];
}

const rowsOf = (tables: readonly TableResult[]): number =>
  tables.filter(({ family }) => family === null).reduce((sum, { rows }) => sum + rows, 0);

function rowsText(tables: readonly TableResult[]): string {
  const rows = formatCount(rowsOf(tables), 'row');
  const compared = tables.filter(({ same }) => same !== null);
  if (compared.length === 0) return `${rows}, found sound by SQLite`;
  const wrong = compared.filter(({ same }) => same === false).length;
  return `${rows}; ${wrong === 0 ? 'all counts and checksums are the same' : `${formatCount(wrong, 'difference')}`}`;
}

const STEPS: Readonly<Record<DrillStep['name'], string>> = {
  prepare: 'preparing',
  restore: 'fetching and restoring',
  compare: 'comparing',
  remove: 'removing',
};

function timeText({ seconds, steps, restore }: DrillReport): string {
  const parts = steps.map((step) => `${STEPS[step.name]} ${formatDuration(step.seconds * 1000)}`);
  return `${formatDuration(seconds * 1000)}: ${parts.join(', ')} (${formatRate(restore.bytes, restore.seconds)})`;
}

/** Those that differ come first, so that none of them is cut off. */
function tableLines(tables: readonly TableResult[], colors: Colors): string[] {
  if (tables.length === 0) return [];
  const wrong = tables.filter(({ same }) => same === false);
  const shown = [...wrong, ...tables.filter(({ same }) => same !== false)].slice(0, MOST_TABLES);
  const left = tables.length - shown.length;
  return [
    '',
    ...table(
      [{ title: 'TABLE' }, { title: 'ROWS', align: 'right' }, { title: 'RESTORED' }],
      shown.map((each) => [tableName(each), formatCount(each.rows), verdict(each, colors)]),
    ),
    ...(left > 0 ? [`… and ${formatCount(left, 'more part')}; --json lists all.`] : []),
  ];
}

function verdict({ same, rows, found }: TableResult, colors: Colors): string {
  if (same === null) return 'counted';
  if (same) return colors.green('same');
  return colors.red(rows === found ? 'other rows' : `${formatCount(found)} rows`);
}
