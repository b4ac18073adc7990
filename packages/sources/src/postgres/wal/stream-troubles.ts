import { HoldfastError } from '@holdfast/contracts';
import type { Lsn } from './lsn.ts';
import { parseHistory } from './timeline-history.ts';
import type { GapReason } from './wal-events.ts';
import { reasonOf } from './wire/server-errors.ts';

/** Trying again does not help until somebody has changed the server or the configuration. */
const FOR_HUMANS = new Set([
  'pg-hba',
  'password',
  'no-replication-right',
  'wal-level',
  'max-wal-senders',
  'max-replication-slots',
]);

export const needsAHuman = (error: unknown): boolean => FOR_HUMANS.has(reasonOf(error));

const DIVERGED = /ahead of the WAL flush position|not in this server's history/;

/** Null for troubles behind which the stream can go on where it was. */
export function gapOf(error: unknown): GapReason | null {
  if (!HoldfastError.is(error)) return null;
  const reason = reasonOf(error);
  if (reason === 'wal-removed') return 'wal-removed';
  if (error.code === 'SOURCE_CORRUPT') return 'damaged';
  return DIVERGED.test(error.message) ? 'diverged' : null;
}

const NEW_BASE = 'A new base snapshot is taken; moments between the gap and its end cannot be reached.';

const HINTS: Readonly<Record<GapReason, string>> = {
  'slot-missing': `${NEW_BASE} Find out who dropped the slot.`,
  'slot-invalidated': `${NEW_BASE} Raise max_slot_wal_keep_size, or find out why storing took so long.`,
  'slot-dropped': `${NEW_BASE} Find out why storing took so long, or raise the limit if the server's disk allows it.`,
  'wal-removed': `${NEW_BASE} Find out who dropped the slot, or whether a failover went to a server without it.`,
  diverged: `${NEW_BASE} The server has another history than before: was it restored, or did a failover lose WAL?`,
  damaged: `${NEW_BASE} Check the server's log and disk.`,
};

export const hintOf = (reason: GapReason): string => HINTS[reason];

/** Where `from` was left on the way to `to`, and for which timeline; null when it is no ancestor. */
export function findBranch(from: number, to: number, history: Uint8Array): { lsn: Lsn; next: number } | null {
  const ancestors = parseHistory(history);
  const index = ancestors.findIndex(({ timeline }) => timeline === from);
  if (index < 0) return null;
  return { lsn: ancestors[index]!.end, next: ancestors[index + 1]?.timeline ?? to };
}
