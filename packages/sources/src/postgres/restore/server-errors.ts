import { HoldfastError } from '@holdfast/contracts';
import pg from 'pg';

const DISK_FULL = new Set(['53100', 'ENOSPC']);
const LOST_CODES = new Set([
  '57P01',
  '57P02',
  '57P03',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
]);
const LOST_MESSAGES = /Connection terminated|not queryable|Client was closed|Connection ended/i;

const HINTS: Readonly<Record<string, string>> = {
  '28P01': 'Check user and password (passwordFile, passwordEnv, PGPASSWORD or ~/.pgpass).',
  '28000': 'The server refuses this user or host: see its pg_hba.conf.',
  '3D000': 'Check the name of the database.',
  '42501': 'Connect as a superuser, or grant what the message names.',
  '55006': 'End the other sessions, or let the restore end them (terminateSessions).',
  '53300': 'The server has no free connection: lower the number of jobs, or raise max_connections.',
  '53200': 'The server is out of memory: lower the number of jobs.',
  '25006': 'The server is a standby, or read-only: restore to the primary.',
  ECONNREFUSED: 'Check that the server runs, its host and its port.',
  ENOTFOUND: 'Check the name of the host.',
};

/** SQLSTATE of a server's error, a system error's code, or ''. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

export const isLost = (error: unknown): boolean =>
  LOST_CODES.has(codeOf(error)) ||
  codeOf(error).startsWith('08') ||
  (error instanceof Error && codeOf(error) === '' && LOST_MESSAGES.test(error.message));

/**
 * DISK_FULL or TARGET_UNWRITABLE. `doing` begins the sentence. A server's `detail` and the end of its `where` quote
 * rows, which have no place in logs, so they are left out.
 */
export function targetError(error: unknown, doing: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const code = codeOf(error);
  const details = { sqlState: code };
  if (DISK_FULL.has(code)) {
    return new HoldfastError('DISK_FULL', `${doing}: the server has no space left`, {
      hint: 'Free space on the database server, or restore to another one. What was there before is untouched.',
      details,
    });
  }
  const text = isLost(error) ? `the connection was lost (${messageOf(error)})` : messageOf(error);
  return new HoldfastError('TARGET_UNWRITABLE', `${doing}: ${text}${whereOf(error)}`, {
    hint: HINTS[code] ?? (isLost(error) ? 'See the server’s log, and run the restore again.' : undefined),
    details,
  });
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

/** `COPY t, line 3, column c: "…"` without what was in the column. */
function whereOf(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return '';
  const place = /^COPY .*?, line \d+(, column [^:]+)?/.exec(error.where ?? '');
  return place === null ? '' : ` (${place[0]})`;
}
