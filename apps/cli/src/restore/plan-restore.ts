import { HoldfastError, type Sink, type SnapshotRecord } from '@holdfast/contracts';
import type { Engine, RestoreRequest } from '@holdfast/engine';
import { isDatabaseUrl } from '../config/database-url.ts';
import { isPhysicalKind } from '../protect/names.ts';
import { checkRestoreOptions, isDatabaseKind, type RestoreOptions, selectionOf } from './restore-options.ts';

export interface RestorePlan {
  readonly sink: Sink;
  readonly select: RestoreRequest['select'];
  /** What there is to say when all went well. */
  readonly notes: () => readonly string[];
}

const NOTHING_TO_SAY = (): readonly string[] => [];

/** Where a snapshot goes, and what of it. Nothing is written yet. USAGE, NOT_FOUND. */
export async function planRestore(
  engine: Engine,
  snapshot: SnapshotRecord,
  options: RestoreOptions,
  signal: AbortSignal,
): Promise<RestorePlan> {
  const { sourceKind } = snapshot;
  checkRestoreOptions(sourceKind, options);
  if (!isDatabaseKind(sourceKind))
    return { sink: await plainSink(sourceKind, options), select: undefined, notes: NOTHING_TO_SAY };
  const { planRows } = await import('./row-plan.ts');
  const toServer = isDatabaseUrl(options.to);
  const wishes = { selection: selectionOf(options), where: options.where, everythingElse: toServer };
  const rows = await planRows(engine, snapshot, wishes, signal);
  if (toServer) {
    const { databaseTarget } = await import('./database-target.ts');
    const { sink, notes } = await databaseTarget(sourceKind, options);
    return { sink: rows.narrow(sink), select: rows.select, notes };
  }
  const { exportTarget } = await import('./export-target.ts');
  return {
    sink: rows.narrow(await exportTarget(rows.objects, options)),
    select: rows.select,
    notes: NOTHING_TO_SAY,
  };
}

async function plainSink(kind: string, { to, overwrite }: RestoreOptions): Promise<Sink> {
  if (isPhysicalKind(kind)) {
    throw new HoldfastError(
      'USAGE',
      `A snapshot of kind ${kind} is restored together with others, to a moment.`,
      {
        hint: 'Give the name of its source: holdfast restore NAME --at latest --to DIRECTORY',
      },
    );
  }
  const { sinkFor } = await import('@holdfast/sources');
  return sinkFor(kind, to === '-' ? { stream: process.stdout } : { path: to, overwrite: overwrite === true });
}
