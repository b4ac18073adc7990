import { type Clock, HoldfastError } from '@holdfast/contracts';
import { keyFileFingerprint } from '@holdfast/crypto';
import {
  ContinuousProtection,
  connectByOptions,
  type ProtectionEvent,
  slotName,
} from '@holdfast/sources/postgres-wal';
import type { Log } from '../agent/log.ts';
import { timetableOf } from '../agent/plan.ts';
import type { Config } from '../config/schema.ts';
import { formatDuration } from '../units/duration.ts';
import { databaseOptions } from '../vault/database-options.ts';
import { vaultLayout } from '../vault/layout.ts';
import { type ProtectedConfig, protectedSource } from './configured.ts';
import { logged } from './event-log.ts';
import { type RecoveryPoints, recoveryPoints } from './recovery-points.ts';
import { writeState } from './running.ts';
import type { SharedVault } from './shared-vault.ts';
import { SnapshotStore } from './snapshot-store.ts';

export interface ProtectOptions {
  readonly vault: string;
  readonly name: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly shared: SharedVault;
  readonly log: Log;
}

export interface ProtectReport {
  readonly bases: number;
  readonly wals: number;
  /** Of all WAL that was stored: how old the oldest was; null when none was. */
  readonly greatestLagSeconds: number | null;
}

/** Told to stop, what was received is stored for so long. */
export const GRACE_MS = 20_000;
const STATE_EVERY = 5_000;

/** Until the signal fires; then what was received is stored. Rejects as `ContinuousProtection.run`. */
export async function protectSource(options: ProtectOptions, signal: AbortSignal): Promise<ProtectReport> {
  const { vault, name, shared, log, config, clock } = options;
  const source = protectedSource(config, name);
  const points = await shared.use((opened) => recoveryPoints(opened, vault, name, signal), signal);
  const store = new SnapshotStore({ vault, source: name, shared, log });
  const tally = new Tally();
  const protection = new ContinuousProtection({
    ...(await settingsOf(vault, name, source)),
    ...lastOf(points),
    clock,
    storeSnapshot: (what, kind, stop) => store.store(what, kind, stop),
    onEvent: (event) => {
      tally.count(event);
      log({ ...logged(event), ...snapshotOf(event, store) });
    },
  });
  const end = new AbortController();
  const running = protection.run(end.signal);
  const telling = tellState(options, protection, end.signal);
  const stopping = stopAtSignal(protection, options, signal, end);
  try {
    await running;
  } catch (error) {
    if (!end.signal.aborted) throw error;
  } finally {
    end.abort();
    await Promise.allSettled([telling, stopping]);
  }
  return tally.report();
}

async function settingsOf(vault: string, name: string, source: ProtectedConfig) {
  const { protect } = source;
  return {
    connect: connectByOptions(databaseOptions(source, vault)),
    slot: await slotOf(vault, name, source),
    connections: source.connections,
    checkpoint: protect.checkpoint,
    maxLag: protect.maxLag,
    ...(protect.warnBytes === undefined ? {} : { warnBytes: protect.warnBytes }),
    ...(protect.dropBytes === undefined ? {} : { dropBytes: protect.dropBytes }),
    nextBase: nextBaseBy(protect.base),
  };
}

/** Of the vault, wherever its directory is moved to. */
export const slotOf = async (vault: string, name: string, { protect }: ProtectedConfig): Promise<string> =>
  protect.slot ?? slotName(await keyFileFingerprint(vaultLayout(vault).rootKey), name);

/** An interval counts from the base before. */
const nextBaseBy =
  (schedule: ProtectedConfig['protect']['base']) =>
  (last: number): number =>
    schedule.every === undefined
      ? (timetableOf(schedule).after(last) ?? Number.POSITIVE_INFINITY)
      : last + schedule.every;

function lastOf({ bases, wals }: RecoveryPoints) {
  return { lastBase: bases.at(-1) ?? null, lastWal: wals.at(-1) ?? null };
}

function snapshotOf(event: ProtectionEvent, { newest }: SnapshotStore): object {
  if (event.type === 'base-stored') return { snapshot: newest.base };
  return event.type === 'wal-stored' ? { snapshot: newest.wal } : {};
}

async function stopAtSignal(
  protection: ContinuousProtection,
  { log }: ProtectOptions,
  signal: AbortSignal,
  end: AbortController,
): Promise<void> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      for (const either of [signal, end.signal])
        either.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  if (end.signal.aborted) return;
  log({
    event: 'protect-stopping',
    message: `stops; stores what was received, for ${formatDuration(GRACE_MS)} at most`,
  });
  await protection.drain(AbortSignal.any([end.signal, AbortSignal.timeout(GRACE_MS)])).catch(() => {
    log({
      event: 'protect-cut-short',
      level: 'warning',
      message: 'not all that was received is stored; the slot keeps it on the server',
    });
  });
  end.abort(new HoldfastError('CANCELLED', 'Protection was told to stop.'));
}

/** For `holdfast status`. */
async function tellState(
  { vault, name, clock }: ProtectOptions,
  protection: ContinuousProtection,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const { lagSeconds, lagBytes, isTakingBase } = protection.status();
    const writtenAt = clock.now();
    const coveredAt = lagSeconds === null ? null : writtenAt - lagSeconds * 1000;
    // A full disk must not end protection.
    await writeState(vault, name, {
      pid: process.pid,
      writtenAt,
      coveredAt,
      lagBytes,
      takingBase: isTakingBase,
    }).catch(() => {});
    if (signal.aborted) return;
    await clock.sleep(STATE_EVERY, { signal }).catch(() => {});
  }
}

class Tally {
  #bases = 0;
  #wals = 0;
  #lag: number | null = null;

  count(event: ProtectionEvent): void {
    if (event.type === 'base-stored') this.#bases++;
    if (event.type !== 'wal-stored') return;
    this.#wals++;
    this.#lag = Math.max(this.#lag ?? 0, event.lagSeconds);
  }

  report(): ProtectReport {
    return { bases: this.#bases, wals: this.#wals, greatestLagSeconds: this.#lag };
  }
}
