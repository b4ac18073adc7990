import type { Forecast } from '../agent/forecast.ts';
import type { AgentStatus, TaskStatus } from '../agent/status.ts';
import { formatCount } from '../units/count.ts';
import { formatAgo, formatMoment } from '../units/duration.ts';
import { shortId } from '../vault/snapshot-id.ts';
import type { Colors } from './colors.ts';
import { jsonTime } from './json.ts';
import { protectionJson, protectionLines } from './protection-view.ts';
import { facts, table } from './table.ts';

const timeOrNull = (moment: number | null): string | null => (moment === null ? null : jsonTime(moment));

export const forecastJson = ({ slot, next, ...rest }: Forecast): object => ({
  ...rest,
  slot: timeOrNull(slot),
  next: timeOrNull(next),
});

export function forecastLines(tasks: readonly Forecast[], colors: Colors): string[] {
  if (tasks.length === 0) return ['The configuration is valid. No source has a schedule.'];
  return [
    `${colors.green('✓')} The configuration is valid.`,
    '',
    ...table(
      [{ title: 'TASK' }, { title: 'SCHEDULE' }, { title: 'NEXT' }],
      tasks.map(({ task, schedule, next }) => [task, schedule, next === null ? 'never' : toTheSecond(next)]),
    ),
  ];
}

export function agentStatusJson({ running, tasks, protection }: AgentStatus): object {
  return {
    running: running !== null,
    pid: running?.pid ?? null,
    tasks: tasks.map(taskJson),
    protected: protection.map(protectionJson),
  };
}

function taskJson(status: TaskStatus): object {
  const { underWay, lastStart, lastSuccess, lastFailure, next, ...rest } = status;
  return {
    ...rest,
    underWay: underWay !== null,
    lastStart: timeOrNull(lastStart),
    lastSuccess: lastSuccess && withTimes(lastSuccess),
    lastFailure: lastFailure && withTimes(lastFailure),
    next: timeOrNull(next),
  };
}

const withTimes = <T extends { startedAt: number; endedAt: number }>(run: T): object => ({
  ...run,
  startedAt: jsonTime(run.startedAt),
  endedAt: jsonTime(run.endedAt),
});

export function agentStatusLines(
  { running, tasks, protection }: AgentStatus,
  colors: Colors,
  now: number,
): string[] {
  return [
    headline(running, colors),
    ...tasks.flatMap((task) => ['', ...taskLines(task, colors, now)]),
    ...protectionLines(protection, colors, now),
    ...protection.flatMap(({ warnings }) => warnings).map((line) => `  ${colors.yellow('!')} ${line}`),
  ];
}

function headline(running: AgentStatus['running'], colors: Colors): string {
  if (running === null) return `${colors.red('✗')} ${colors.bold('No agent runs for this vault')}`;
  return `${colors.green('✓')} ${colors.bold('The agent runs')}${running.pid === null ? '' : `, process ${running.pid}`}`;
}

function taskLines(status: TaskStatus, colors: Colors, now: number): string[] {
  const { task, schedule, lastSuccess, lastFailure, overdue, failures } = status;
  const name = `${colors.bold(task)}  ${colors.dim(schedule)}`;
  return [
    overdue ? `${colors.yellow('!')} ${name}  ${colors.yellow('overdue')}` : `  ${name}`,
    ...facts(
      [
        [
          'last success',
          lastSuccess
            ? `${when(lastSuccess.startedAt, now)}${lastSuccess.snapshot ? `  ${shortId(lastSuccess.snapshot)}` : ''}`
            : 'none yet',
        ],
        ...(lastFailure ? [['last failure', failureText(lastFailure, failures, now, colors)] as const] : []),
        ['next', nextText(status)],
      ],
      '    ',
    ),
  ];
}

function failureText(
  { startedAt, code, message }: NonNullable<TaskStatus['lastFailure']>,
  failures: number,
  now: number,
  colors: Colors,
): string {
  const since = failures > 0 ? `; ${formatCount(failures, 'failure')} since the last success` : '';
  const text = `${when(startedAt, now)}  ${message} [${code}]${since}`;
  return failures > 0 ? colors.yellow(text) : text;
}

function nextText({ underWay, next }: TaskStatus): string {
  if (underWay) return 'is being run';
  return next === null ? 'not before an agent runs' : toTheSecond(next);
}

const when = (moment: number, now: number): string => `${formatMoment(moment)}, ${formatAgo(moment, now)}`;

/** Local time; schedules may be finer than minutes. */
const toTheSecond = (moment: number): string =>
  `${formatMoment(moment)}:${String(new Date(moment).getSeconds()).padStart(2, '0')}`;
