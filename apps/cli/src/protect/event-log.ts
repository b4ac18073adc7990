import { formatLsn, formatMicros, type ProtectionEvent } from '@holdfast/sources/postgres-wal';
import type { LogEvent } from '../agent/log.ts';
import { formatBytes } from '../units/bytes.ts';
import { formatDuration } from '../units/duration.ts';

/** An event of protection as a line of the log. */
export function logged(event: ProtectionEvent): LogEvent {
  switch (event.type) {
    case 'connected':
      return {
        event: event.type,
        timeline: event.timeline,
        lsn: formatLsn(event.lsn),
        message: `receives WAL of timeline ${event.timeline} from ${formatLsn(event.lsn)}`,
      };
    case 'disconnected':
      return {
        event: event.type,
        level: 'warning',
        reason: event.reason,
        retryMs: event.retryMs,
        message: withHint(
          `no WAL for now: ${event.message}; next try in ${formatDuration(event.retryMs)}`,
          event.hint,
        ),
      };
    case 'slot-created':
      return { event: event.type, slot: event.slot, message: `made the replication slot ${event.slot}` };
    case 'slot-lost':
      return {
        event: event.type,
        level: 'warning',
        slot: event.slot,
        reason: event.reason,
        message: `the slot ${event.slot} ${event.reason === 'slot-missing' ? 'was dropped by somebody' : 'was given up by the server'}`,
      };
    case 'slot-growth':
      return {
        event: event.type,
        level: 'warning',
        slot: event.slot,
        retainedBytes: event.retainedBytes,
        limitBytes: event.limitBytes,
        safeBytes: event.safeBytes,
        walStatus: event.walStatus,
        message: `the server keeps ${formatBytes(event.retainedBytes)} of WAL for the slot ${event.slot}`,
      };
    case 'slot-dropped':
      return {
        event: event.type,
        level: 'error',
        slot: event.slot,
        retainedBytes: event.retainedBytes,
        limitBytes: event.limitBytes,
        message: `dropped the slot ${event.slot}: the server kept ${formatBytes(event.retainedBytes)} of WAL for it, more than ${formatBytes(event.limitBytes)}`,
      };
    case 'advice':
      return { event: event.type, level: 'warning', message: event.message };
    case 'timeline':
      return {
        event: event.type,
        level: 'warning',
        from: event.from,
        to: event.to,
        lsn: formatLsn(event.lsn),
        abandonedBytes: event.abandoned,
        message: `the server went from timeline ${event.from} to ${event.to} at ${formatLsn(event.lsn)}`,
      };
    case 'gap':
      return {
        event: event.type,
        level: 'error',
        reason: event.reason,
        from: formatLsn(event.from),
        message: withHint(`WAL is missing behind ${formatLsn(event.from)}: ${event.message}`, event.hint),
      };
    case 'base-started':
      return { event: event.type, message: 'takes a base snapshot' };
    case 'base-stored':
      return {
        event: event.type,
        startLsn: formatLsn(event.info.startLsn),
        stopLsn: formatLsn(event.info.stopLsn),
        stoppedAt: formatMicros(event.info.stoppedAt),
        seconds: event.seconds,
        message: `a base snapshot is stored, in ${formatDuration(event.seconds * 1000)}; from ${formatMicros(event.info.stoppedAt)} on every moment can be restored`,
      };
    case 'wal-stored':
      return {
        event: event.type,
        startLsn: formatLsn(event.info.startLsn),
        endLsn: formatLsn(event.info.endLsn),
        lastTime: event.info.lastTime === null ? null : formatMicros(event.info.lastTime),
        coveredUntil: event.info.coveredUntil === null ? null : formatMicros(event.info.coveredUntil),
        lagSeconds: event.lagSeconds,
        message: `WAL is stored up to ${formatLsn(event.info.endLsn)}, ${formatBytes(Number(event.info.endLsn - event.info.startLsn))}; the oldest of it was ${formatDuration(event.lagSeconds * 1000)} old`,
      };
    case 'store-failed':
      return {
        event: event.type,
        level: 'error',
        what: event.what,
        retryMs: event.retryMs,
        message: withHint(
          `${event.what === 'base' ? 'the base snapshot' : 'WAL'} could not be stored: ${event.message}; next try in ${formatDuration(event.retryMs)}`,
          event.hint,
        ),
      };
  }
}

const withHint = (message: string, hint: string | undefined): string =>
  hint ? `${message}. ${hint}` : message;
