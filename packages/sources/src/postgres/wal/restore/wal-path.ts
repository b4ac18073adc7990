import { type Lsn, segmentStart } from '../lsn.ts';
import { parseHistory } from '../timeline-history.ts';
import type { WalInfo } from '../wal-info.ts';

/** A timeline's share of the way to a moment. */
export interface Stretch {
  readonly timeline: number;
  readonly begin: Lsn;
  /** Where the next one branched off; null for the last. */
  readonly end: Lsn | null;
}

/** All timelines that lead to one, oldest first, as far as the histories stored with WAL tell. */
export function stretchesTo(timeline: number, wals: readonly WalInfo[]): Stretch[] {
  const history = wals.find((wal) => wal.timeline === timeline && wal.history)?.history;
  const ancestors = history ? parseHistory(history) : [];
  let begin = 0n;
  const stretches = ancestors.map(({ timeline: ancestor, end }): Stretch => {
    const stretch = { timeline: ancestor, begin, end };
    begin = end;
    return stretch;
  });
  return [...stretches, { timeline, begin, end: null }];
}

export interface Step<W extends WalInfo> {
  readonly wal: W;
  /** What of it counts on this way; behind `end` it is of a branch that was left. */
  readonly end: Lsn;
}

export interface Way<W extends WalInfo> {
  readonly steps: readonly Step<W>[];
  /** WAL is there without a gap up to here, on the timeline of the last step. */
  readonly reach: Lsn;
  /** Where WAL goes on behind the gap; null where there is none further on. */
  readonly resumes: Lsn | null;
}

/** What can be replayed from a position on a timeline: snapshots that follow each other without a gap. */
export function wayFrom<W extends WalInfo>(
  start: { readonly timeline: number; readonly lsn: Lsn },
  stretches: readonly Stretch[],
  wals: readonly W[],
): Way<W> {
  const first = stretches.findIndex(({ timeline }) => timeline === start.timeline);
  const steps: Step<W>[] = [];
  let at = start.lsn;
  for (const [i, stretch] of stretches.slice(Math.max(0, first)).entries()) {
    const own = wals.filter((wal) => wal.timeline === stretch.timeline).sort(byStart);
    // A timeline's files begin with a copy of the segment in which it branched off.
    if (i > 0 && own[0]) at = segmentStart(stretch.begin, own[0].segmentBytes);
    at = follow(at, stretch.end, own, steps);
    if (stretch.end === null || at < stretch.end) {
      const resumes = own.find((wal) => wal.startLsn > at && wal.endLsn > wal.startLsn)?.startLsn ?? null;
      return { steps, reach: i > 0 && at < stretch.begin ? stretch.begin : at, resumes };
    }
  }
  return { steps, reach: at, resumes: null };
}

function follow<W extends WalInfo>(from: Lsn, end: Lsn | null, own: readonly W[], steps: Step<W>[]): Lsn {
  let at = from;
  for (const wal of own) {
    if (wal.startLsn > at || (end !== null && at >= end)) break;
    // Empty ones say that nothing happened for a while.
    if (wal.endLsn < at || (wal.endLsn === at && wal.startLsn < at)) continue;
    at = wal.endLsn;
    if (end !== null && at > end) at = end;
    steps.push({ wal, end: at });
  }
  return at;
}

const byStart = (a: WalInfo, b: WalInfo): number =>
  a.startLsn !== b.startLsn
    ? a.startLsn < b.startLsn
      ? -1
      : 1
    : a.endLsn < b.endLsn
      ? -1
      : a.endLsn > b.endLsn
        ? 1
        : 0;
