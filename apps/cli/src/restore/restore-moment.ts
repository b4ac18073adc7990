import { chown, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { HoldfastError, type SnapshotId } from '@holdfast/contracts';
import type { RestoreReport } from '@holdfast/engine';
import { systemClock } from '@holdfast/node';
import {
  findServer,
  PhysicalRestore,
  parseTarget,
  planRecovery,
  type RecoveryPlan,
  startRecovered,
} from '@holdfast/sources/postgres-wal';
import type { Console } from '../output/console.ts';
import type { RunEvents } from '../output/run-events.ts';
import { physicalName } from '../protect/names.ts';
import { type RecoveryPoints, recoveryPoints } from '../protect/recovery-points.ts';
import type { OpenVault } from '../vault/open.ts';
import { tablespacePlaces } from './moment-options.ts';
import { rangeJson, rangeText, reachableRanges } from './reachable-ranges.ts';
import type { RestoreOptions } from './restore-options.ts';

export interface MomentRequest {
  readonly opened: OpenVault;
  readonly vault: string;
  /** Of the protected source; it need not be configured any more. */
  readonly source: string;
  readonly options: RestoreOptions & { readonly at: string };
  readonly console: Pick<Console, 'progress' | 'note'>;
  readonly events: RunEvents;
  readonly signal: AbortSignal;
}

export interface MomentReport {
  readonly plan: RecoveryPlan;
  readonly directory: string;
  readonly bytes: number;
  readonly fetchedBytes: number;
  readonly seconds: number;
  readonly faults: RestoreReport['faults'];
  readonly major: number;
  /** Of the server's `postgres`; null where this machine has none of that version. */
  readonly program: string | null;
  /** How long recovery took; null when the server was not started. */
  readonly recoverySeconds: number | null;
}

/** A base and the WAL behind it, to a directory that a server can be started on. NOT_FOUND, WAL_GAP with the ranges that can be reached. */
export async function restoreMoment(request: MomentRequest): Promise<MomentReport> {
  const { options, opened, vault, source, console, signal } = request;
  const target = parseTarget(options.at);
  const tablespaces = tablespacePlaces(options.tablespace);
  const began = systemClock.monotonic();
  const looking = console.progress.count('reading manifests', 'snapshot');
  const points = await recoveryPoints(opened, vault, source, signal, looking);
  if (points.bases.length === 0) throw nothingStored(source, points);
  const plan = planned(points, () => planRecovery({ ...points, target }));
  const directory = resolve(options.to);
  const restore = new PhysicalRestore({
    path: directory,
    overwrite: options.overwrite === true,
    recovery: { target: plan.target, timeline: plan.timeline },
    tablespaces,
  });
  const reports = await fetchAll(request, plan, restore);
  const seconds = (systemClock.monotonic() - began) / 1000;
  const major = Number.parseInt(await readFile(join(directory, 'PG_VERSION'), 'utf8'), 10);
  return {
    plan,
    directory,
    ...sums(reports),
    seconds,
    major,
    program: await findServer(major).catch(() => null),
    recoverySeconds: options.start ? await recover(directory, signal) : null,
  };
}

async function fetchAll(
  { opened: { engine }, console, events, signal }: MomentRequest,
  plan: RecoveryPlan,
  restore: PhysicalRestore,
): Promise<RestoreReport[]> {
  const run = { signal, onEvent: events.tell };
  try {
    const id = plan.base.id as SnapshotId;
    const onProgress = console.progress.start('base');
    const reports = [await engine.restore({ ...run, snapshot: id, sink: restore.baseSink(), onProgress })];
    const count = console.progress.count('WAL', 'snapshot');
    for (const [i, wal] of plan.wals.entries()) {
      count(i, plan.wals.length);
      reports.push(await engine.restore({ ...run, snapshot: wal.id as SnapshotId, sink: restore.walSink() }));
    }
    console.progress.clear();
    await restore.finish();
    return reports;
  } catch (error) {
    await restore.abort();
    throw error;
  }
}

/** Starts the server where nobody else reaches it, waits until it has recovered, and stops it again. */
async function recover(directory: string, signal: AbortSignal): Promise<number> {
  const socketDirectory = await mkdtemp(join(tmpdir(), 'holdfast-recover-'));
  try {
    const { uid, gid } = await stat(directory);
    if (process.getuid?.() === 0) await chown(socketDirectory, uid, gid);
    const server = await startRecovered({ directory, clock: systemClock, socketDirectory, signal });
    await server.stop();
    return server.seconds;
  } finally {
    await rm(socketDirectory, { recursive: true, force: true });
  }
}

/** The same error, with all that could be asked for instead. */
function planned(points: RecoveryPoints, plan: () => RecoveryPlan): RecoveryPlan {
  try {
    return plan();
  } catch (error) {
    if (!HoldfastError.is(error, 'NOT_FOUND', 'WAL_GAP')) throw error;
    const ranges = reachableRanges(points);
    const told = ranges.slice(-5).map(rangeText);
    const which =
      told.length > 0
        ? ` Reachable: ${told.join('; ')}.`
        : ' Nothing is reachable yet: WAL of the base is missing.';
    throw new HoldfastError(error.code, `${error.message}.${which}`, {
      hint: error.hint ?? 'Choose a moment that can be reached, or latest.',
      details: { ...error.details, reachable: ranges.map(rangeJson) },
      cause: error.cause,
    });
  }
}

function nothingStored(source: string, { wals }: RecoveryPoints): HoldfastError {
  const message =
    wals.length > 0
      ? `There is no complete base snapshot of "${source}" yet.`
      : `Nothing was stored of "${source}" by continuous protection.`;
  return new HoldfastError('NOT_FOUND', message, {
    hint: `"holdfast protect ${source}" takes one; wait for its end. "holdfast snapshots" lists what there is.`,
    details: { source: physicalName(source, 'base') },
  });
}

function sums(reports: readonly RestoreReport[]): Pick<MomentReport, 'bytes' | 'fetchedBytes' | 'faults'> {
  const faults = new Map<string, RestoreReport['faults'][number]>();
  for (const fault of reports.flatMap((report) => report.faults)) {
    const { wrongBytes = 0, missing = 0, unreachable = 0 } = faults.get(fault.peer) ?? {};
    faults.set(fault.peer, {
      ...fault,
      wrongBytes: fault.wrongBytes + wrongBytes,
      missing: fault.missing + missing,
      unreachable: fault.unreachable + unreachable,
    });
  }
  const sum = (of: (report: RestoreReport) => number): number =>
    reports.reduce((total, one) => total + of(one), 0);
  return {
    bytes: sum(({ bytes }) => bytes),
    fetchedBytes: sum(({ fetchedBytes }) => fetchedBytes),
    faults: [...faults.values()],
  };
}

/** What to type to start the restored server. */
export function startCommand({ directory, program, major }: MomentReport): string {
  const control = program === null ? `…/postgresql/${major}/bin/pg_ctl` : join(dirname(program), 'pg_ctl');
  const as = process.getuid?.() === 0 ? 'sudo -u postgres ' : '';
  return `${as}${control} -D ${directory} -l ${directory}/server.log start`;
}
