import type { PeerId } from '@holdfast/contracts';
import type { Outage } from '../state.ts';
import { checkAtLeast, senseless } from '../state.ts';

/** When an absent peer's shards are made again elsewhere. Milliseconds, unless said otherwise. */
export interface RepairSettings {
  /** Silence after which a peer counts as unreachable. */
  readonly detectionMs: number;
  /** Silence after which it counts as gone. Until then, a partition with enough margin waits for it. */
  readonly graceMs: number;
  /** Margin at which a partition no longer waits. */
  readonly repairMargin: number;
  /** In which everything due should be made again. */
  readonly recoveryMs: number;
  /** What can be read and written for repair in all, in bytes a second. */
  readonly bytesPerSecond: number;
}

const HOUR_MS = 3_600_000;

/** Detection and recovery are the document's. Ours: a night without power moves nothing while more than one further peer may fail. */
export const defaultRepair: RepairSettings = {
  detectionMs: 300_000,
  graceMs: 12 * HOUR_MS,
  repairMargin: 1,
  recoveryMs: HOUR_MS,
  bytesPerSecond: 2 ** 20,
};

/** *suspect*: silent, but not for long; counted on, but neither read from nor given anything. */
export type Absence = 'suspect' | 'unreachable' | 'gone';

export function absenceOf({ since, gone }: Outage, settings: RepairSettings, now: number): Absence {
  if (gone || now - since >= settings.graceMs) return 'gone';
  return now - since >= settings.detectionMs ? 'unreachable' : 'suspect';
}

export interface Absences {
  /** Of all peers in an outage. */
  readonly of: ReadonlyMap<PeerId, Absence>;
  /** Unreachable or gone: not counted on. */
  readonly lost: ReadonlySet<PeerId>;
  /** When the peer will count as gone if it stays silent. */
  readonly goneAt: ReadonlyMap<PeerId, number>;
}

export function absences(outages: readonly Outage[], settings: RepairSettings, now: number): Absences {
  const of = new Map(outages.map((outage) => [outage.peer, absenceOf(outage, settings, now)]));
  const lost = new Set([...of].flatMap(([peer, absence]) => (absence === 'suspect' ? [] : [peer])));
  const goneAt = new Map(outages.map(({ peer, since }) => [peer, since + settings.graceMs]));
  return { of, lost, goneAt };
}

/** USAGE, naming field and value. */
export function checkRepairSettings(settings: RepairSettings): void {
  checkAtLeast('detectionMs', settings.detectionMs, 0);
  checkAtLeast('graceMs', settings.graceMs, settings.detectionMs);
  checkAtLeast('recoveryMs', settings.recoveryMs, 0);
  checkAtLeast('bytesPerSecond', settings.bytesPerSecond, 1);
  const { repairMargin } = settings;
  if (Number.isInteger(repairMargin) && repairMargin >= 0) return;
  throw senseless(
    `repairMargin is ${repairMargin}; it must be a whole number from 0.`,
    'repairMargin',
    repairMargin,
  );
}
