import { HoldfastError } from '@holdfast/contracts';
import { type Connect, RawConnection } from './wire/raw-connection.ts';
import { BASE_FUNCTIONS, grantHint, replicationHint } from './wire/server-errors.ts';

/** One thing that protection needs of a server. */
export interface Readiness {
  /** Stable, for machines: `wal-level`, `replication-right`, `functions`, … */
  readonly need: string;
  /** `advice`: it works without, but better with. */
  readonly state: 'met' | 'missing' | 'advice';
  /** What was found. */
  readonly found: string;
  /** What to do; null where there is nothing to do. */
  readonly hint: string | null;
}

const SETTINGS = `select current_setting('server_version_num'), current_setting('wal_level'), current_setting('max_wal_senders'),
  (select count(*) from pg_stat_replication)::text, current_setting('max_replication_slots'),
  (select count(*) from pg_replication_slots where slot_name <> $1)::text,
  exists(select 1 from pg_replication_slots where slot_name = $1)::text,
  (select rolreplication or rolsuper from pg_roles where rolname = current_user)::text, current_user,
  (select setting from pg_settings where name = 'max_slot_wal_keep_size')`;

/**
 * What continuous protection needs of a server, and what of it is there. Changes nothing.
 * SOURCE_UNREADABLE when there is no connection at all.
 */
export async function readiness(connect: Connect, slot: string): Promise<Readiness[]> {
  const connection = await RawConnection.open(connect, 'sql');
  try {
    const [row] = await connection.text(SETTINGS, [slot]);
    const [version, level, senders, sending, slots, others, exists, may, user, keep] = row as string[];
    return [
      walLevel(level!),
      walSenders(Number(senders), Number(sending)),
      replicationSlots(Number(slots), Number(others), exists === 'true', slot),
      replicationRight(may === 'true', user!),
      await functions(connection, Number(version), user!),
      await replicationConnection(connect),
      slotBound(Number(keep)),
    ];
  } finally {
    connection.close();
  }
}

const judged = (need: string, isMet: boolean, found: string, hint: string): Readiness => ({
  need,
  state: isMet ? 'met' : 'missing',
  found,
  hint: isMet ? null : hint,
});

const walLevel = (level: string): Readiness =>
  judged(
    'wal-level',
    level !== 'minimal',
    `wal_level is ${level}`,
    'Set wal_level = replica in postgresql.conf and restart the server.',
  );

function walSenders(most: number, sending: number): Readiness {
  const found = `max_wal_senders is ${most}, ${sending} are in use`;
  const hint = 'Raise max_wal_senders in postgresql.conf (10 is the default) and restart the server.';
  // What protects already counts among those in use.
  return judged('wal-senders', most > 0, found, hint);
}

function replicationSlots(most: number, others: number, exists: boolean, slot: string): Readiness {
  const found = exists ? `the slot ${slot} is there` : `${others} of ${most} replication slots are in use`;
  const hint =
    'Raise max_replication_slots in postgresql.conf and restart the server, or drop a slot that nobody uses (SELECT * FROM pg_replication_slots).';
  return judged('replication-slots', exists || others < most, found, hint);
}

const replicationRight = (may: boolean, user: string): Readiness =>
  judged(
    'replication-right',
    may,
    `the role ${user} ${may ? 'may' : 'may not'} receive WAL`,
    replicationHint(user),
  );

async function functions(connection: RawConnection, version: number, user: string): Promise<Readiness> {
  const names = BASE_FUNCTIONS(version);
  const asked = names.map((_, i) => `has_function_privilege($${i + 1}::text, 'execute')::text`);
  const qualified = names.map((name) => `pg_catalog.${name}`);
  const [row] = await connection.text(`select ${asked.join(', ')}`, qualified);
  const refused = names.filter((_, i) => row![i] !== 'true');
  const found = `${user} may call ${names.length - refused.length} of the ${names.length} functions that a base needs`;
  return judged('functions', refused.length === 0, found, grantHint(refused, user));
}

/** pg_hba.conf has lines of their own for these. */
async function replicationConnection(connect: Connect): Promise<Readiness> {
  try {
    const connection = await RawConnection.open(connect, 'replication');
    connection.close();
    return judged('replication-connection', true, 'the server takes replication connections', '');
  } catch (error) {
    if (!HoldfastError.is(error)) throw error;
    return judged('replication-connection', false, error.message, error.hint ?? 'Look at its log.');
  }
}

function slotBound(megabytes: number): Readiness {
  const found = `max_slot_wal_keep_size is ${megabytes < 0 ? 'without limit' : `${megabytes} MB`}`;
  if (megabytes >= 0) return { need: 'slot-bound', state: 'met', found, hint: null };
  const hint =
    'Set max_slot_wal_keep_size in postgresql.conf to what the disk can spare, or protect.dropBytes: else the disk fills up while Holdfast is away.';
  return { need: 'slot-bound', state: 'advice', found, hint };
}
