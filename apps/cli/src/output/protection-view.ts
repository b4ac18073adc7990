import type { ProtectionStatus } from '../protect/protection-status.ts';
import { formatAgo, formatDuration } from '../units/duration.ts';
import type { Colors } from './colors.ts';
import { jsonTime } from './json.ts';
import { facts } from './table.ts';

const timeOrNull = (moment: number | null): string | null => (moment === null ? null : jsonTime(moment));

export const protectionJson = ({
  running,
  lastBaseAt,
  storedUntil,
  warnings: _,
  ...rest
}: ProtectionStatus): object => ({
  ...rest,
  running: running !== null,
  pid: running?.pid ?? null,
  lastBaseAt: timeOrNull(lastBaseAt),
  storedUntil: timeOrNull(storedUntil),
});

/** With a heading, or nothing where nothing is protected. */
export function protectionLines(all: readonly ProtectionStatus[], colors: Colors, now: number): string[] {
  if (all.length === 0) return [];
  const lines = all.map((status) => [status.source, protectionText(status, colors, now)] as const);
  return ['', 'Continuous protection', ...facts(lines)];
}

function protectionText(
  { running, lastBaseAt, storedUntil, takingBase, warnings }: ProtectionStatus,
  colors: Colors,
  now: number,
): string {
  const mark = running === null ? colors.yellow('not running') : 'running';
  const base =
    lastBaseAt === null
      ? takingBase
        ? 'first base under way'
        : 'no base yet'
      : `base ${formatAgo(lastBaseAt, now)}`;
  // In seconds, unlike other ages: they are what counts here.
  const age =
    storedUntil === null ? 'nothing stored' : `stored up to ${formatDuration(now - storedUntil)} ago`;
  return `${mark}  ${warnings.length > 0 ? colors.yellow(age) : age}, ${base}`;
}
