import type { Attributes, SnapshotRecord } from '@holdfast/contracts';
import { overdueAt } from '../agent/overdue.ts';
import { timetableOf } from '../agent/plan.ts';
import type { Config } from '../config/schema.ts';
import { formatAgo, formatDuration } from '../units/duration.ts';
import { type ProtectedConfig, protectedSources } from './configured.ts';
import { readFacts } from './fact-file.ts';
import { physicalName, protectLayout } from './names.ts';
import { type ProtectionState, readState, runningProtection } from './running.ts';

/** Moments are Unix milliseconds. */
export interface ProtectionStatus {
  readonly source: string;
  /** Null when nothing protects it right now. */
  readonly running: { readonly pid: number | null } | null;
  /** When the newest base ended; null for none. */
  readonly lastBaseAt: number | null;
  /** Of everything committed until then all WAL is stored; null where that is not known. */
  readonly storedUntil: number | null;
  readonly takingBase: boolean;
  /** What the server held back a few seconds ago; null when nothing looks at it. */
  readonly lagBytes: number | null;
  /** What needs attention, in words. */
  readonly warnings: readonly string[];
}

/** More would be lost than is promised. */
const MOST_AGE = 60_000;

/** By what protection wrote down, and what is stored. Asks neither server nor peers. */
export function protectionStatus(
  vault: string,
  config: Config,
  snapshots: readonly SnapshotRecord[],
  now: number,
): Promise<ProtectionStatus[]> {
  return Promise.all(
    protectedSources(config).map(([name, source]) => statusOf(vault, name, source, snapshots, now)),
  );
}

async function statusOf(
  vault: string,
  source: string,
  config: ProtectedConfig,
  snapshots: readonly SnapshotRecord[],
  now: number,
): Promise<ProtectionStatus> {
  const running = runningProtection(vault, source);
  const state = await readState(vault, source);
  const known = {
    source,
    running,
    lastBaseAt: newest(snapshots, physicalName(source, 'base'))?.finishedAt ?? null,
    storedUntil: await storedUntil(vault, source, snapshots, state, now),
    takingBase: running !== null && state?.takingBase === true,
    lagBytes: running === null ? null : (state?.lagBytes ?? null),
  };
  return { ...known, warnings: warningsOf(known, config, now) };
}

const newest = (snapshots: readonly SnapshotRecord[], name: string): SnapshotRecord | undefined =>
  snapshots.findLast(({ source, complete }) => source === name && complete);

/** A server that writes nothing gives no WAL for a while, and loses nothing: only protection itself knows then. */
async function storedUntil(
  vault: string,
  source: string,
  snapshots: readonly SnapshotRecord[],
  state: ProtectionState | null,
  now: number,
): Promise<number | null> {
  const last = newest(snapshots, physicalName(source, 'wal'));
  if (!last) return null;
  const facts = await readFacts(protectLayout(vault, source).facts).catch(() => null);
  const times = [state?.coveredAt ?? null, await coveredUntil(facts?.get(last.id)?.attributes)].filter(
    (time) => time !== null,
  );
  // The server's clock may be ahead of ours.
  return times.length === 0 ? null : Math.min(now, Math.max(...times));
}

async function coveredUntil(attributes: Attributes | undefined): Promise<number | null> {
  try {
    const { walInfo } = await import('@holdfast/sources/postgres-wal');
    const info = attributes ? walInfo(attributes) : null;
    const time = info?.coveredUntil ?? info?.lastTime ?? null;
    return time === null ? null : Number(time / 1000n);
  } catch {
    return null;
  }
}

function warningsOf(
  { source, running, lastBaseAt, storedUntil: until, takingBase }: Omit<ProtectionStatus, 'warnings'>,
  { protect }: ProtectedConfig,
  now: number,
): string[] {
  const start = `Run: holdfast protect ${source}`;
  if (lastBaseAt === null) {
    if (takingBase) return [];
    return running
      ? [`"${source}" is being protected, and has no base snapshot yet.`]
      : [`"${source}" has no base snapshot, and nothing protects it. ${start}`];
  }
  const limit = Math.max(MOST_AGE, 2 * protect.maxLag);
  const old = until === null || now - until > limit;
  const since = until === null ? 'an unknown moment' : `${formatDuration(now - until)} ago`;
  const why = running
    ? 'storing WAL takes too long, or the server is away; look at the log of "holdfast protect".'
    : `nothing protects it. ${start}`;
  const overdue = overdueAt(timetableOf(protect.base), lastBaseAt);
  return [
    ...(old ? [`What was committed to "${source}" since ${since} would be lost: ${why}`] : []),
    ...(overdue !== null && now > overdue
      ? [
          `The last base snapshot of "${source}" was made ${formatAgo(lastBaseAt, now)}, and restoring takes ever longer.`,
        ]
      : []),
  ];
}
