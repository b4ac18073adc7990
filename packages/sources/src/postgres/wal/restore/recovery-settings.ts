import { RECOVERY_SETTINGS } from '../../base/backup-session.ts';
import { formatLsn, formatMicros } from '../lsn.ts';
import type { ServerTarget } from './recovery-target.ts';

export interface Recovery {
  readonly target: ServerTarget;
  readonly timeline: number;
  /** When a time or position is reached; at the end of the WAL the server always opens. Default `promote`. */
  readonly action?: 'promote' | 'pause' | 'shutdown';
}

/**
 * Lines for postgresql.auto.conf. All WAL that is needed lies in pg_wal, so the command that would fetch more says that
 * there is none. Targets that an earlier restore left in the file are cleared: the server refuses two.
 */
export function recoverySettings({ target, timeline, action = 'promote' }: Recovery): string {
  const settings: Record<string, string> = {
    restore_command: 'false',
    recovery_target: '',
    recovery_target_name: '',
    recovery_target_xid: '',
    recovery_target_lsn: '',
    recovery_target_time: '',
    recovery_target_inclusive: target.kind === 'lsn' && !target.inclusive ? 'off' : 'on',
    recovery_target_timeline: String(timeline),
    recovery_target_action: action,
    // A copy must not write into the archive of the original.
    archive_mode: 'off',
  };
  // Behind the ones that are cleared: the server reads in order, and would see two.
  delete settings[`recovery_target_${target.kind}`];
  if (target.kind === 'lsn') settings.recovery_target_lsn = formatLsn(target.lsn);
  if (target.kind === 'time') settings.recovery_target_time = formatMicros(target.time);
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`);
  return `\n# Written by Holdfast for recovery to a moment; needed only until the server has been opened.\n${lines.join('\n')}\n`;
}

/** For a cluster whose configuration lay outside its data directory: what the server needs at least to replay its WAL. */
export function leastConfiguration(settings: unknown): string {
  const known =
    typeof settings === 'object' && settings !== null ? (settings as Record<string, unknown>) : {};
  const lines = RECOVERY_SETTINGS.flatMap((name) => {
    const value = known[name];
    return typeof value === 'string' && /^\d{1,9}$/.test(value) ? [`${name} = ${value}`] : [];
  });
  return `# The original configuration lay outside the data directory and is not in the snapshot.\n# Written by Holdfast: what the server needs to replay the WAL.\n${lines.join('\n')}\n`;
}

export const LEAST_ACCESS = `# The original file lay outside the data directory and is not in the snapshot.\n# Written by Holdfast: users of this machine, as themselves.\nlocal all all peer\n`;
