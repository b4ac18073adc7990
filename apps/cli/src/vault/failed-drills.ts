import { drillTaskName } from '../agent/drill-task-name.ts';
import { overdueAt } from '../agent/overdue.ts';
import { timetableOf } from '../agent/plan.ts';
import type { SavedState } from '../agent/state-file.ts';
import type { Config } from '../config/schema.ts';
import { formatAgo } from '../units/duration.ts';

/** Drills by schedule that failed last, or are overdue, in words. */
export function failedDrills(config: Config, state: SavedState | null, now: number): string[] {
  return Object.entries(config.sources).flatMap(([name, source]) => {
    if (source.kind === 'stdin' || !source.drill) return [];
    const record = state?.tasks[drillTaskName(name)]?.record;
    if (!record) return [];
    const { lastFailure, lastSuccess, failures, since } = record;
    if (failures > 0 && lastFailure) {
      const { endedAt, message, code } = lastFailure;
      return [`The last restore drill of "${name}" failed, ${formatAgo(endedAt, now)}: ${message} [${code}]`];
    }
    const limit = overdueAt(timetableOf(source.drill), lastSuccess?.startedAt ?? since);
    if (limit === null || now <= limit) return [];
    const last = lastSuccess ? `the last was ${formatAgo(lastSuccess.startedAt, now)}` : 'there was none yet';
    return [`A restore drill of "${name}" is overdue: ${last}. See "holdfast agent status".`];
  });
}
