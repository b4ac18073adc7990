import { HoldfastError } from '@holdfast/contracts';
import type { BaseInfo } from '../../base/base-info.ts';
import { formatLsn, formatMicros, type Lsn, segmentStart } from '../lsn.ts';
import type { WalInfo } from '../wal-info.ts';
import { describeTarget, type RecoveryTarget, type ServerTarget } from './recovery-target.ts';
import { type Step, type Stretch, stretchesTo, type Way, wayFrom } from './wal-path.ts';

/** A snapshot as the planner sees it; `id` is the caller's own. */
export type BaseSnapshotRef = BaseInfo & { readonly id: string };
export type WalSnapshotRef = WalInfo & { readonly id: string };

export interface RecoveryRequest {
  readonly bases: readonly BaseSnapshotRef[];
  readonly wals: readonly WalSnapshotRef[];
  readonly target: RecoveryTarget;
  /** Default: the newest. */
  readonly timeline?: number;
}

export interface RecoveryPlan {
  readonly base: BaseSnapshotRef;
  /** In the order in which they are restored. */
  readonly wals: readonly WalSnapshotRef[];
  /** On which the target lies: where the server has to go. */
  readonly timeline: number;
  readonly target: ServerTarget;
  /** WAL is there up to here. */
  readonly reach: Lsn;
}

/** A moment, for people and for another try. */
export interface Moment {
  readonly lsn: Lsn;
  /** Microseconds since 1970; null when no time is known for it. */
  readonly time: bigint | null;
}

interface Candidate {
  readonly base: BaseSnapshotRef;
  readonly way: Way<WalSnapshotRef>;
}

/** What of a way serves a target, and how the server is told; null when the way ends before it. */
type Fit = { readonly steps: number; readonly target: ServerTarget } | null;

/**
 * Which base and which WAL lead to the target: the newest base that ends in front of it, and WAL without a gap from there on.
 * @throws NOT_FOUND when no base or WAL reaches as far, or there is no such restore point; WAL_GAP when WAL is missing in
 * between. Both with `details.before` and `details.after`, the nearest moments that can be reached.
 */
export function planRecovery(request: RecoveryRequest): RecoveryPlan {
  const { target } = request;
  const systemId = newestSystem(request);
  const wals = request.wals.filter((wal) => wal.systemId === systemId);
  const timeline = request.timeline ?? Math.max(1, ...wals.map((wal) => wal.timeline));
  const stretches = stretchesTo(timeline, wals);
  const candidates = request.bases
    .filter((base) => base.systemId === systemId && isOn(stretches, base))
    .sort((a, b) => (a.stopLsn < b.stopLsn ? 1 : a.stopLsn > b.stopLsn ? -1 : 0))
    .map((base): Candidate => ({ base, way: wayFrom(beginOf(base), stretches, wals) }));
  const sought = target.kind === 'name' ? findRestorePoint(target.name, stretches, wals) : target;
  for (const { base, way } of candidates) {
    if (way.reach < base.stopLsn || !isBefore(base, sought)) continue;
    const fit = fitOf(sought, base, way);
    if (fit === null) break;
    const { steps, reach } = {
      steps: way.steps.slice(0, fit.steps),
      reach: way.steps[fit.steps - 1]?.end ?? way.reach,
    };
    const last = steps.at(-1)?.wal.timeline ?? base.timeline;
    return { base, wals: steps.map(({ wal }) => wal), timeline: last, target: fit.target, reach };
  }
  throw unreachable(target, sought, candidates);
}

type Sought =
  | { readonly kind: 'latest' }
  | { readonly kind: 'time'; readonly time: bigint }
  | { readonly kind: 'lsn'; readonly lsn: Lsn }
  | { readonly kind: 'point'; readonly lsn: Lsn };

/** Several clusters in turn may have been protected under one name. */
function newestSystem({ bases }: RecoveryRequest): bigint {
  const newest = bases.reduce<BaseSnapshotRef | null>(
    (kept, base) => (kept && kept.stoppedAt >= base.stoppedAt ? kept : base),
    null,
  );
  if (newest === null)
    throw new HoldfastError('NOT_FOUND', 'There is no base snapshot to restore from', {
      hint: 'holdfast protect takes one; wait for its end.',
    });
  return newest.systemId;
}

const isOn = (stretches: readonly Stretch[], base: BaseInfo): boolean =>
  stretches.some(({ timeline, end }) => timeline === base.timeline && (end === null || base.stopLsn <= end));

const beginOf = (base: BaseInfo): { timeline: number; lsn: Lsn } => ({
  timeline: base.timeline,
  lsn: segmentStart(base.startLsn, base.segmentBytes),
});

function isBefore(base: BaseInfo, sought: Sought): boolean {
  if (sought.kind === 'latest') return true;
  return sought.kind === 'time' ? base.stoppedAt <= sought.time : base.stopLsn <= sought.lsn;
}

function findRestorePoint(
  name: string,
  stretches: readonly Stretch[],
  wals: readonly WalSnapshotRef[],
): Sought {
  const found = stretches.flatMap(({ timeline, begin, end }) =>
    wals
      .filter((wal) => wal.timeline === timeline)
      .flatMap((wal) => wal.restorePoints)
      .filter((point) => point.name === name && point.lsn >= begin && (end === null || point.lsn < end)),
  );
  const last = found.reduce<Lsn | null>((kept, { lsn }) => (kept === null || lsn > kept ? lsn : kept), null);
  if (last !== null) return { kind: 'point', lsn: last };
  const names = [...new Set(wals.flatMap((wal) => wal.restorePoints.map((point) => point.name)))];
  throw new HoldfastError('NOT_FOUND', `There is no restore point ${name} in the WAL that is stored`, {
    hint:
      names.length > 0
        ? `There are: ${names.slice(-10).join(', ')}`
        : 'SELECT pg_create_restore_point(NAME) makes one.',
    details: { restorePoints: names },
  });
}

function fitOf(sought: Sought, base: BaseInfo, way: Way<WalSnapshotRef>): Fit {
  switch (sought.kind) {
    case 'latest':
      return { steps: way.steps.length, target: { kind: 'end' } };
    case 'time':
      return fitTime(sought.time, base, way.steps);
    case 'lsn':
      return fitLsn(sought.lsn, way);
    case 'point': {
      // Its own record must be there whole.
      const index = way.steps.findIndex(
        ({ wal, end }) => wal.lastRecord !== null && wal.lastRecord >= sought.lsn && end > sought.lsn,
      );
      return index < 0
        ? null
        : { steps: index + 1, target: { kind: 'lsn', lsn: sought.lsn, inclusive: true } };
    }
  }
}

/** The server stops at the first transaction that ended later; without one it must be known that none did. */
function fitTime(time: bigint, base: BaseInfo, steps: readonly Step<WalSnapshotRef>[]): Fit {
  for (const [i, { wal, end }] of steps.entries()) {
    if (end < base.stopLsn) continue;
    if (wal.lastTime !== null && wal.lastTime > time) return { steps: i + 1, target: { kind: 'time', time } };
    if (wal.coveredUntil !== null && wal.coveredUntil >= time)
      return { steps: i + 1, target: { kind: 'end' } };
  }
  return null;
}

/** The server stops in front of the first record that begins there or later; without one, at the end of the WAL. */
function fitLsn(lsn: Lsn, way: Way<WalSnapshotRef>): Fit {
  const index = way.steps.findIndex(({ wal }) => wal.lastRecord !== null && wal.lastRecord >= lsn);
  if (index >= 0) return { steps: index + 1, target: { kind: 'lsn', lsn, inclusive: false } };
  return way.reach >= lsn ? { steps: way.steps.length, target: { kind: 'end' } } : null;
}

function unreachable(
  target: RecoveryTarget,
  sought: Sought,
  candidates: readonly Candidate[],
): HoldfastError {
  const usable = candidates.filter(({ base, way }) => way.reach >= base.stopLsn);
  const earlier = usable.filter(({ base }) => isBefore(base, sought))[0];
  const later = usable.filter(({ base }) => !isBefore(base, sought)).at(-1);
  const broken =
    earlier ?? candidates.find(({ base, way }) => way.reach < base.stopLsn && isBefore(base, sought));
  const before = earlier ? lastMoment(earlier) : null;
  const after = later ? { lsn: later.base.stopLsn, time: later.base.stoppedAt } : null;
  const gap =
    broken && (broken.way.resumes !== null || later)
      ? { from: broken.way.reach, to: broken.way.resumes ?? later?.base.startLsn ?? null }
      : null;
  const nearest = [
    before && `the last moment before is ${describe(before)}`,
    after && `the first one after is ${describe(after)}`,
  ].filter((text) => text !== null);
  const where = nearest.length > 0 ? `; ${nearest.join(', ')}` : '';
  const details = { before, after, gap };
  if (gap)
    return new HoldfastError(
      'WAL_GAP',
      `${describeTarget(target)} cannot be reached: WAL is missing from ${formatLsn(gap.from)} to ${gap.to === null ? 'an unknown position' : formatLsn(gap.to)}${where}`,
      { hint: 'Restore to one of these moments.', details },
    );
  const side =
    earlier || !later ? 'is later than the WAL that is stored' : 'lies before the first base snapshot';
  return new HoldfastError(
    'NOT_FOUND',
    `${describeTarget(target)} ${candidates.length === 0 ? 'cannot be reached: no base snapshot leads to this timeline' : side}${where}`,
    {
      hint: 'Restore to one of the moments that can be reached, or to latest.',
      details,
    },
  );
}

function lastMoment({ way }: Candidate): Moment {
  const times = way.steps
    .flatMap(({ wal }) => [wal.lastTime, wal.coveredUntil])
    .filter((time) => time !== null);
  const time = times.reduce<bigint | null>(
    (kept, each) => (kept === null || each > kept ? each : kept),
    null,
  );
  return { lsn: way.reach, time };
}

const describe = ({ lsn, time }: Moment): string =>
  time === null ? formatLsn(lsn) : `${formatMicros(time)} (${formatLsn(lsn)})`;
