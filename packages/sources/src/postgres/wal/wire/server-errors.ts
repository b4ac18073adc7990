import { type ErrorCode, HoldfastError } from '@holdfast/contracts';

/** Fields of the server's error message, by their letters in the protocol. */
export interface ServerError {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string | undefined;
}

interface Remedy {
  readonly when: (error: ServerError) => boolean;
  /** For machines: `details.reason`. */
  readonly reason: string;
  readonly code?: ErrorCode;
  readonly hint: (user: string) => string;
}

const says =
  (code: string, pattern: RegExp) =>
  (error: ServerError): boolean =>
    error.code === code && pattern.test(error.message);

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const BASE_FUNCTIONS = (version: number): readonly string[] => [
  'pg_ls_dir(text, boolean, boolean)',
  'pg_stat_file(text, boolean)',
  'pg_read_binary_file(text, bigint, bigint, boolean)',
  ...(version >= 150000
    ? ['pg_backup_start(text, boolean)', 'pg_backup_stop(boolean)']
    : ['pg_start_backup(text, boolean, boolean)', 'pg_stop_backup(boolean, boolean)']),
];

export const grantHint = (functions: readonly string[], user: string): string =>
  `As a superuser, in the database that is connected to: GRANT EXECUTE ON FUNCTION ${functions.map((name) => `pg_catalog.${name}`).join(', ')} TO ${quoted(user)};`;

export const replicationHint = (user: string): string =>
  `As a superuser: ALTER ROLE ${quoted(user)} REPLICATION;`;

const REMEDIES: readonly Remedy[] = [
  {
    when: says('28000', /no pg_hba\.conf entry|pg_hba\.conf rejects|replication connection/),
    reason: 'pg-hba',
    hint: (user) =>
      `Add a line to the server's pg_hba.conf, for this machine's address, and reload it (SELECT pg_reload_conf()): host replication ${user} ADDRESS/32 scram-sha-256`,
  },
  {
    when: (error) => error.code === '28P01' || error.code === '28000',
    reason: 'password',
    hint: () => 'Check user and password (passwordFile, passwordEnv, PGPASSWORD or ~/.pgpass).',
  },
  {
    when: says('42501', /replication|WAL sender|walsender/i),
    reason: 'no-replication-right',
    hint: replicationHint,
  },
  {
    when: says('42501', /permission denied for function/),
    reason: 'no-function-right',
    hint: (user) => grantHint(['… (all that `holdfast source test` names)'], user),
  },
  {
    when: says('53300', /max_wal_senders|standby connections/),
    reason: 'max-wal-senders',
    hint: () =>
      'Raise max_wal_senders in postgresql.conf (one for each standby, and one for Holdfast) and restart the server; SELECT * FROM pg_stat_replication shows who uses them.',
  },
  {
    when: says('53300', /.*/),
    reason: 'too-many-connections',
    hint: () => 'Raise max_connections, or the limit of the role or database.',
  },
  {
    when: says('53400', /replication slots/),
    reason: 'max-replication-slots',
    hint: () =>
      'Raise max_replication_slots in postgresql.conf and restart the server, or drop a slot that nobody uses (SELECT * FROM pg_replication_slots).',
  },
  {
    when: (error) => error.code === '55000' && /wal_level|WAL level/.test(error.message),
    reason: 'wal-level',
    hint: () => 'Set wal_level = replica in postgresql.conf and restart the server.',
  },
  {
    when: says('55006', /is active for PID/),
    reason: 'slot-active',
    code: 'BUSY',
    hint: () =>
      'Another program reads from this slot. Stop it, or give this source a slot of its own; a connection that was lost is noticed by the server after wal_sender_timeout.',
  },
  {
    when: says('58P01', /requested WAL segment .* has already been removed/),
    reason: 'wal-removed',
    hint: () => 'A new base snapshot is needed.',
  },
];

/** SOURCE_UNREADABLE or BUSY with the remedy that fits; `details.reason` names it for programs. */
export function serverError(error: ServerError, what: string, user: string): HoldfastError {
  const remedy = REMEDIES.find(({ when }) => when(error));
  const detail = error.detail ? ` (${error.detail})` : '';
  return new HoldfastError(remedy?.code ?? 'SOURCE_UNREADABLE', `${what}: ${error.message}${detail}`, {
    hint: remedy?.hint(user),
    details: { sqlState: error.code, reason: remedy?.reason ?? 'server-error' },
  });
}

export function isServerError(error: unknown): error is Error & ServerError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code)
  );
}

export const reasonOf = (error: unknown): string =>
  HoldfastError.is(error) && typeof error.details.reason === 'string' ? error.details.reason : '';
