import type { SnapshotRecord } from '@holdfast/contracts';
import { overdueAt } from '../agent/overdue.ts';
import { timetableOf } from '../agent/plan.ts';
import type { Config } from '../config/schema.ts';
import { formatAgo } from '../units/duration.ts';

/**
 * Sources with a schedule whose newest complete snapshot is older than two of its intervals, in words; whoever made it. Sources that
 * were never backed up are complained of elsewhere.
 */
export function overdueSources(config: Config, snapshots: readonly SnapshotRecord[], now: number): string[] {
  return Object.entries(config.sources).flatMap(([name, source]) => {
    if (source.kind === 'stdin' || !source.schedule) return [];
    const made = snapshots.filter((snapshot) => snapshot.source === name);
    if (made.length === 0) return [];
    const good = made.filter(({ complete }) => complete).map(({ startedAt }) => startedAt);
    if (good.length === 0) return [`"${name}" has a schedule, and no complete snapshot yet.`];
    const newest = Math.max(...good);
    const limit = overdueAt(timetableOf(source.schedule), newest);
    if (limit === null || now <= limit) return [];
    return [
      `"${name}" is overdue: its last complete snapshot was made ${formatAgo(newest, now)}. See "holdfast agent status".`,
    ];
  });
}
