import {
  type BaseSnapshotRef,
  formatLsn,
  formatMicros,
  type Lsn,
  planRecovery,
  type WalSnapshotRef,
} from '@holdfast/sources/postgres-wal';
import type { RecoveryPoints } from '../protect/recovery-points.ts';

/** Every moment from one end to the other can be restored. Times are microseconds since 1970. */
export interface ReachableRange {
  readonly from: { readonly lsn: Lsn; readonly time: bigint };
  readonly to: { readonly lsn: Lsn; readonly time: bigint | null };
}

/** Of the newest cluster that was protected, oldest first. */
export function reachableRanges(points: RecoveryPoints): ReachableRange[] {
  const system = points.bases.at(-1)?.systemId;
  const ranges = points.bases
    .filter((base) => base.systemId === system)
    .map((base) => rangeOf(base, points.wals))
    .filter((range) => range !== null);
  return ranges.reduce<ReachableRange[]>(merge, []);
}

/** `2026-11-20 10:00:00.000000+00 to 2026-11-21 …`. */
export const rangeText = ({ from, to }: ReachableRange): string =>
  `${formatMicros(from.time)} (${formatLsn(from.lsn)}) to ${to.time === null ? '' : `${formatMicros(to.time)} `}(${formatLsn(to.lsn)})`;

export const rangeJson = ({ from, to }: ReachableRange): object => ({
  from: { time: formatMicros(from.time), lsn: formatLsn(from.lsn) },
  to: { time: to.time === null ? null : formatMicros(to.time), lsn: formatLsn(to.lsn) },
});

/** Null for a base whose own WAL is not all there. */
function rangeOf(base: BaseSnapshotRef, wals: readonly WalSnapshotRef[]): ReachableRange | null {
  const plan = planOf(base, wals);
  if (plan === null) return null;
  const times = plan.wals.flatMap(({ lastTime, coveredUntil }) => [lastTime, coveredUntil]);
  const last = times.reduce((a, b) => (a === null || (b !== null && b > a) ? b : a), null);
  return { from: { lsn: base.stopLsn, time: base.stoppedAt }, to: { lsn: plan.reach, time: last } };
}

function planOf(base: BaseSnapshotRef, wals: readonly WalSnapshotRef[]) {
  try {
    return planRecovery({ bases: [base], wals, target: { kind: 'latest' } });
  } catch {
    return null;
  }
}

/** A later base within an earlier one's reach adds nothing but its end. */
function merge(before: ReachableRange[], range: ReachableRange): ReachableRange[] {
  const last = before.at(-1);
  if (!last || range.from.lsn > last.to.lsn) return [...before, range];
  const to = range.to.lsn > last.to.lsn ? range.to : last.to;
  return [...before.slice(0, -1), { from: last.from, to }];
}
